package sticker.token;

import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The keys that tokens are verified with (section 1.4). Immutable; printed, it shows the keys' ids and nothing secret. */
public final class Keyring {
  /** A ring without a key, which knows no token. */
  public static final Keyring EMPTY = new Keyring(Map.of());

  private static final Set<String> STATES = Set.of("published", "signing", "verify");

  /** As many as there are ids; keys that are left out count. */
  private static final int MAX_KEYS = 65_536;

  private final Map<Integer, Key> keys;
  private final boolean hasEd25519;

  private Keyring(Map<Integer, Key> keys) {
    this.keys = keys;
    this.hasEd25519 = keys.values().stream().anyMatch(key -> key.algorithm == Key.Algorithm.ED25519);
  }

  /**
   * Reads the text of a key file. Keys of an unknown algorithm are left out.
   *
   * @throws BadInputException with the code of what is wrong and where
   */
  public static Keyring parse(String json) throws BadInputException {
    Object file;
    try {
      file = Json.parse(json);
    } catch (Json.Malformed malformed) {
      throw new BadInputException("bad_json", malformed.getMessage());
    }
    if (!(file instanceof Map<?, ?> object && object.get("keys") instanceof List<?> entries && entries.size() <= MAX_KEYS))
      throw new BadInputException("bad_json", "no object with an array \"keys\"");
    Map<Integer, Key> keys = new HashMap<>();
    Set<Key.Algorithm> signing = EnumSet.noneOf(Key.Algorithm.class);
    for (int i = 0; i < entries.size(); i++) {
      String place = "keys[" + i + "]";
      if (!(entries.get(i) instanceof Map<?, ?> entry)) throw new BadInputException("bad_json", place);
      Object word = entry.containsKey("algorithm") ? entry.get("algorithm") : Key.Algorithm.HMAC_SHA256.word;
      Key.Algorithm algorithm = Key.Algorithm.of(word);
      if (algorithm == null) continue;
      if (!(entry.get("id") instanceof Long id && id >= 0 && id <= 65535)) throw new BadInputException("bad_id", place);
      if (!(entry.get("state") instanceof String state && STATES.contains(state)))
        throw new BadInputException("bad_state", place);
      if (state.equals("signing") && !signing.add(algorithm)) throw new BadInputException("two_signing", place);
      if (keys.put(id.intValue(), key(algorithm, entry, place)) != null) throw new BadInputException("duplicate_id", place);
    }
    return new Keyring(keys);
  }

  private static Key key(Key.Algorithm algorithm, Map<?, ?> entry, String place) throws BadInputException {
    if (algorithm == Key.Algorithm.HMAC_SHA256) return new Key.Hmac(bytes(entry, "secret", place));
    // A seed is none of a verifier's business, but a wrong one shows that the file is not what its writer meant.
    if (entry.containsKey("secret")) bytes(entry, "secret", place);
    return new Key.Ed25519(bytes(entry, "public", place));
  }

  private static byte[] bytes(Map<?, ?> entry, String field, String place) throws BadInputException {
    if (entry.get(field) instanceof String hex && hex.matches("[0-9a-fA-F]{64}")) return HexFormat.of().parseHex(hex);
    throw new BadInputException("bad_key", place);
  }

  /** The ids of the keys, ascending. */
  public Set<Integer> ids() {
    return new TreeSet<>(keys.keySet());
  }

  /** The algorithm of a token's version, null if this ring does not know it. */
  Key.Algorithm algorithm(byte version) {
    if (version == Key.Algorithm.HMAC_SHA256.version) return Key.Algorithm.HMAC_SHA256;
    return version == Key.Algorithm.ED25519.version && hasEd25519 ? Key.Algorithm.ED25519 : null;
  }

  /** The key with this id, or null. */
  Key find(int id) {
    return keys.get(id);
  }

  @Override
  public String toString() {
    return "Keyring" + ids();
  }
}
