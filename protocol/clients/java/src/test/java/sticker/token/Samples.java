package sticker.token;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The golden case of the specification, and an issuer for others. */
final class Samples {
  static final String TOKEN = "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC";
  static final long STICKER = 8_675_309;
  static final long EXPIRES = 1_800_086_400;
  static final long NOW = 1_800_000_000;
  static final String USER_HEX = "018f3c9a1122733384445566778899aa";
  static final byte[] USER = HexFormat.of().parseHex(USER_HEX);
  static final String SECRET_HEX = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  static final String RING = ring("{\"id\":3,\"secret\":\"" + SECRET_HEX + "\",\"state\":\"signing\"}");
  static final KeyPair PAIR = pair();
  static final String ED25519_KEY =
      "{\"id\":4,\"algorithm\":\"ed25519\",\"public\":\"" + publicHex() + "\",\"state\":\"signing\"}";

  private Samples() {}

  static String ring(String... keys) {
    return "{\"keys\":[" + String.join(",", keys) + "]}";
  }

  static String page(long cursor, boolean more, String... entries) {
    return "{\"revocations\":[" + String.join(",", entries) + "],\"cursor\":" + cursor + ",\"more\":" + more + "}";
  }

  static String entry(long cursor, String userHex, long until, long... stickers) {
    String user = userHex == null ? "null" : "\"" + userHex + "\"";
    return "{\"cursor\":" + cursor + ",\"user_hex\":" + user + ",\"sticker_ids\":" + Arrays.toString(stickers)
        + ",\"refuse_until\":" + until + "}";
  }

  /** A token signed with the secret of key 3, or the pair of key 4, whatever it says. */
  static String issue(int version, int key, long expires, long sticker, byte[] user) throws GeneralSecurityException {
    byte[] fields = ByteBuffer.allocate(15 + user.length).put((byte) version).putShort((short) key)
        .putInt((int) expires).putLong(sticker).put(user).array();
    ByteArrayOutputStream signed = new ByteArrayOutputStream();
    signed.writeBytes(("sticker-token-v" + version).getBytes(StandardCharsets.US_ASCII));
    signed.writeBytes(fields);
    ByteArrayOutputStream token = new ByteArrayOutputStream();
    token.writeBytes(fields);
    token.writeBytes(version == 2 ? ed25519(signed.toByteArray()) : hmac(signed.toByteArray()));
    return Base64.getUrlEncoder().withoutPadding().encodeToString(token.toByteArray());
  }

  private static byte[] hmac(byte[] signed) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(HexFormat.of().parseHex(SECRET_HEX), "HmacSHA256"));
    return mac.doFinal(signed);
  }

  private static byte[] ed25519(byte[] signed) throws GeneralSecurityException {
    Signature signature = Signature.getInstance("Ed25519");
    signature.initSign(PAIR.getPrivate());
    signature.update(signed);
    return signature.sign();
  }

  private static KeyPair pair() {
    try {
      return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static String publicHex() {
    byte[] x509 = PAIR.getPublic().getEncoded();
    return HexFormat.of().formatHex(x509, x509.length - 32, x509.length);
  }
}
