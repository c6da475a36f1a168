package sticker.token;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Rights that were taken back while tokens for them may live (section 1.6). Many threads may ask and change it at once. */
public final class DenyList {
  /** What a page of the feed said beside its entries: what to ask after next time, and whether there is more at once. */
  public record Page(long cursor, boolean more, int entries) {}

  private record Entry(List<?> stickers, byte[] user, long until) {}

  /** Entries of a page, and stickers of an entry. */
  private static final int MAX_LIST = 10_000;
  /** Stickers of all entries of a page. */
  private static final int MAX_STICKERS = 200_000;
  /** Seconds that an entry is kept past its end, for clocks that are set. */
  static final long KEPT = 300;
  /** A token has four bytes for it. */
  private static final long MAX_EXPIRY = 0xffff_ffffL;
  /** No user has this id. */
  private static final byte[] EVERY_USER = {};

  private final Map<Subject, Long> untils = new ConcurrentHashMap<>();

  /**
   * Takes all entries of a page of the feed.
   *
   * @param after the cursor that was asked after
   * @throws BadInputException {@code bad_page}, and then none of them was taken
   */
  public Page apply(String json, long after) throws BadInputException {
    Object page;
    try {
      page = Json.parse(json);
    } catch (Json.Malformed malformed) {
      throw new BadInputException("bad_page", malformed.getMessage());
    }
    if (!(page instanceof Map<?, ?> object
        && object.get("revocations") instanceof List<?> revocations && revocations.size() <= MAX_LIST
        && object.get("cursor") instanceof Long cursor && cursor >= 0
        && object.get("more") instanceof Boolean more))
      throw new BadInputException("bad_page", "no object with \"revocations\", \"cursor\" and \"more\"");
    if (cursor < after || more && cursor == after) throw new BadInputException("bad_page", "the cursor does not advance");
    List<Entry> entries = new ArrayList<>();
    int stickers = 0;
    for (Object revocation : revocations) {
      String place = "revocations[" + entries.size() + "]";
      Entry entry = entry(revocation, place);
      stickers += entry.stickers().size();
      if (stickers > MAX_STICKERS) throw new BadInputException("bad_page", place + " exceeds " + MAX_STICKERS + " stickers");
      entries.add(entry);
    }
    for (Entry entry : entries)
      for (Object sticker : entry.stickers()) untils.merge(new Subject((Long) sticker, entry.user()), entry.until(), Math::max);
    return new Page(cursor, more, entries.size());
  }

  private static Entry entry(Object revocation, String place) throws BadInputException {
    if (!(revocation instanceof Map<?, ?> object
        && object.get("cursor") instanceof Long cursor && cursor >= 0
        && object.get("sticker_ids") instanceof List<?> stickers && stickers.size() <= MAX_LIST
        && stickers.stream().allMatch(id -> id instanceof Long sticker && sticker >= 1)
        && object.get("refuse_until") instanceof Long until && until >= 0 && until <= MAX_EXPIRY
        && object.containsKey("user_hex")))
      throw new BadInputException("bad_page", place);
    Object user = object.get("user_hex");
    if (user == null) return new Entry(stickers, EVERY_USER, until);
    if (user instanceof String hex && hex.matches("(?:[0-9a-fA-F]{2}){1," + Verifier.MAX_USER + "}"))
      return new Entry(stickers, HexFormat.of().parseHex(hex), until);
    throw new BadInputException("bad_page", place);
  }

  /** Whether a token with this expiry was issued before the user's right to the sticker was taken back. */
  public boolean refuses(byte[] user, long sticker, long expires) {
    return !untils.isEmpty() && (until(user, sticker) >= expires || until(EVERY_USER, sticker) >= expires);
  }

  private long until(byte[] user, long sticker) {
    return untils.getOrDefault(new Subject(sticker, user), -1L);
  }

  /** Drops what has denied only expired tokens for 300 s at {@code now}, in Unix seconds. It looks through the whole list. */
  public void forgetExpired(long now) {
    untils.values().removeIf(until -> now - KEPT >= until);
  }

  /** How many pairs of a user, or every user, and a sticker are denied. */
  public int size() {
    return untils.size();
  }

  /** Hashed with a key that nobody outside the process knows, so that nobody can choose ids that collide. */
  private record Subject(long sticker, byte[] user) {
    private static final int PRIME = Integer.MAX_VALUE;
    private static final long KEY = 256 + new SecureRandom().nextInt(PRIME - 256);

    /** A polynomial over the field of the prime whose unknown point is the key: two ids collide with a chance of 140 in 2^31. */
    @Override
    public int hashCode() {
      long hash = 1;
      for (int shift = 48; shift >= 0; shift -= 16) hash = (hash * KEY + (sticker >>> shift & 0xffff)) % PRIME;
      for (byte b : user) hash = (hash * KEY + (b & 0xff)) % PRIME;
      return (int) hash;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Subject subject && sticker == subject.sticker && Arrays.equals(user, subject.user);
    }
  }
}
