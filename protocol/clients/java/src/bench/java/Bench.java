import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import sticker.token.DenyList;
import sticker.token.Keyring;
import sticker.token.Verifier;

/**
 * Complete verification of a token beside what it cannot do without: Java's own HMAC-SHA256 of the same bytes with a prepared
 * key, and base64 decoding. In one run, in turns, warmed up; medians of the rounds. Shared machines are noisy, so what counts is
 * the ratio.
 */
public final class Bench {
  private static final String TOKEN = "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC";
  private static final byte[] USER = HexFormat.of().parseHex("018f3c9a1122733384445566778899aa");
  private static final String SECRET = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  private static final int WARM_UP = 100;
  private static final int ROUNDS = 400;
  private static final int REPEATS = 2_000;

  /** Work that gives something, so that it is not left out. */
  private interface Work {
    int once();
  }

  private Bench() {}

  public static void main(String[] arguments) throws Exception {
    String keys = "{\"keys\":[{\"id\":3,\"secret\":\"" + SECRET + "\",\"state\":\"signing\"}]}";
    DenyList denied = new DenyList();
    Verifier verifier = new Verifier(Keyring.parse(keys), denied);
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(HexFormat.of().parseHex(SECRET), "HmacSHA256"));
    byte[] domain = "sticker-token-v1".getBytes(StandardCharsets.US_ASCII);
    Work reference = () -> {
      byte[] bytes = Base64.getUrlDecoder().decode(TOKEN);
      mac.update(domain);
      mac.update(bytes, 0, bytes.length - 32);
      return mac.doFinal()[0];
    };
    Work verify = () -> {
      Verifier.Verdict verdict = verifier.verify(TOKEN, 8_675_309, USER, 1_800_000_000);
      if (!(verdict instanceof Verifier.Accepted accepted)) throw new IllegalStateException(verdict.toString());
      return (int) accepted.expires();
    };
    compare("with an empty deny list", verify, reference);
    StringBuilder entries = new StringBuilder();
    for (int user = 0; user < 10_000; user++)
      entries.append(user == 0 ? "" : ",").append("{\"cursor\":1,\"user_hex\":\"").append(String.format("%032x", user))
          .append("\",\"sticker_ids\":[8675309],\"refuse_until\":1800086400}");
    denied.apply("{\"revocations\":[" + entries + "],\"cursor\":1,\"more\":false}", 0);
    compare("with 10,000 denied users", verify, reference);
  }

  private static void compare(String name, Work verify, Work reference) {
    double[] verified = new double[ROUNDS];
    double[] referred = new double[ROUNDS];
    for (int round = -WARM_UP; round < ROUNDS; round++) {
      double first = nanoseconds(verify);
      double second = nanoseconds(reference);
      if (round >= 0) {
        verified[round] = first;
        referred[round] = second;
      }
    }
    Arrays.sort(verified);
    Arrays.sort(referred);
    double a = verified[ROUNDS / 2];
    double b = referred[ROUNDS / 2];
    System.out.printf("verify %s: %.0f ns; HMAC-SHA256 and base64: %.0f ns; ratio %.2f%n", name, a, b, a / b);
  }

  private static int sink;

  private static double nanoseconds(Work work) {
    long start = System.nanoTime();
    for (int i = 0; i < REPEATS; i++) sink += work.once();
    return (System.nanoTime() - start) / (double) REPEATS;
  }
}
