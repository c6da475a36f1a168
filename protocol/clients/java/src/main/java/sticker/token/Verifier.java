package sticker.token;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.Objects;

/**
 * Decides whether a user may send a sticker: sections 1.1 to 1.3 of the protocol. Any number of threads may verify while others
 * give it a new ring or feed the deny list; verifying does no I/O and waits for nobody.
 */
public final class Verifier {
  /** What was decided. */
  public sealed interface Verdict permits Accepted, Refused {}

  /** The user may send the sticker; the token is valid until the second before {@code expires}. */
  public record Accepted(long expires) implements Verdict {}

  /** The user may not, and why. */
  public record Refused(Refusal refusal) implements Verdict {}

  static final long MAX_STICKER = Json.MAX_WHOLE;
  static final int MAX_USER = 128;
  /** Version, key id, expiry and sticker; the user and the signature follow. */
  private static final int FIXED = 15;

  private final DenyList denied;
  private volatile Keyring ring;

  public Verifier(Keyring ring, DenyList denied) {
    this.ring = Objects.requireNonNull(ring);
    this.denied = Objects.requireNonNull(denied);
  }

  /** Verifies with this ring from now on. */
  public void use(Keyring ring) {
    this.ring = Objects.requireNonNull(ring);
  }

  public DenyList denied() {
    return denied;
  }

  /** {@link #verify(String, long, byte[], long)} by the system's clock. */
  public Verdict verify(String text, long sticker, byte[] user) {
    return verify(text, sticker, user, System.currentTimeMillis() / 1000);
  }

  /**
   * Checks in the order of the specification and answers with the first refusal that applies.
   *
   * @param text what the client sent as its token
   * @param sticker the sticker in the message
   * @param user the authenticated sender of the message, as the bytes that the store knows it by
   * @param now Unix seconds
   */
  public Verdict verify(String text, long sticker, byte[] user, long now) {
    Keyring ring = this.ring;
    byte[] token = decode(text);
    if (token == null) return new Refused(Refusal.MALFORMED);
    Key.Algorithm algorithm = ring.algorithm(token[0]);
    // A text may be longer than version 1 allows only where it is of a known version 2.
    Key.Algorithm longest = algorithm == null ? Key.Algorithm.HMAC_SHA256 : algorithm;
    if (token.length > FIXED + MAX_USER + longest.signature) return new Refused(Refusal.MALFORMED);
    if (algorithm == null) return new Refused(Refusal.UNSUPPORTED_VERSION);
    int signed = token.length - algorithm.signature;
    if (signed <= FIXED) return new Refused(Refusal.MALFORMED);

    ByteBuffer fields = ByteBuffer.wrap(token);
    Key key = ring.find(Short.toUnsignedInt(fields.getShort(1)));
    if (key == null || key.algorithm != algorithm) return new Refused(Refusal.UNKNOWN_KEY);
    if (!key.signed(token, signed)) return new Refused(Refusal.BAD_SIGNATURE);
    long expires = Integer.toUnsignedLong(fields.getInt(3));
    if (now >= expires) return new Refused(Refusal.EXPIRED);
    long id = fields.getLong(7);
    if (id < 1 || id > MAX_STICKER) return new Refused(Refusal.MALFORMED);
    if (id != sticker) return new Refused(Refusal.WRONG_STICKER);
    if (!Arrays.equals(token, FIXED, signed, user, 0, user.length)) return new Refused(Refusal.WRONG_USER);
    if (denied.refuses(user, sticker, expires)) return new Refused(Refusal.REVOKED);
    return new Accepted(expires);
  }

  /** The bytes of a canonical text of the shortest to the longest token of any version; otherwise null. */
  private static byte[] decode(String text) {
    if (text == null || text.length() < 64 || text.length() > 276) return null;
    try {
      byte[] bytes = Base64.getUrlDecoder().decode(text);
      // The decoder takes padding and stray bits after the last byte.
      return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes).equals(text) ? bytes : null;
    } catch (IllegalArgumentException foreignCharacter) {
      return null;
    }
  }
}
