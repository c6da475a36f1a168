import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sticker.token.DenyList;
import sticker.token.Keyring;
import sticker.token.Refresher;
import sticker.token.Verifier;

/**
 * What a chat server does with stickers: a message on each line of the standard input, its fate on each line of the output.
 *
 * <pre>
 * STICKER_STORE_SECRET=sk_... java -cp target/classes src/example/java/ChatServer.java --store https://stickers.example.com
 * java -cp target/classes src/example/java/ChatServer.java --keys keys.json
 *
 * {"user":"alice","sticker_id":8675309,"token":"AQAD..."}
 * {"accepted":true}
 * </pre>
 */
public final class ChatServer {
  private static final Duration START = Duration.ofSeconds(30);
  // A chat server has a reader for its messages; these fields without escapes are enough to try it.
  private static final Pattern USER = Pattern.compile("\"user\"\\s*:\\s*\"([^\"\\\\]*)\"");
  private static final Pattern STICKER = Pattern.compile("\"sticker_id\"\\s*:\\s*(\\d{1,18})\\b");
  private static final Pattern TOKEN = Pattern.compile("\"token\"\\s*:\\s*\"([^\"\\\\]*)\"");

  private ChatServer() {}

  public static void main(String[] arguments) throws InterruptedException, IOException {
    Verifier verifier = new Verifier(Keyring.EMPTY, new DenyList());
    try (Refresher refresher = start(verifier, arguments);
        BufferedReader messages = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      System.err.println("ready");
      for (String line = messages.readLine(); line != null; line = messages.readLine())
        System.out.println(answer(verifier, line));
    } catch (Refresher.Failure | IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    }
  }

  private static Refresher start(Verifier verifier, String[] arguments) throws Refresher.Failure, InterruptedException {
    String option = arguments.length == 2 ? arguments[0] : "";
    if (option.equals("--keys")) return Refresher.fromKeyFile(verifier, Path.of(arguments[1]), System.err::println);
    String secret = System.getenv("STICKER_STORE_SECRET");
    if (!option.equals("--store") || secret == null)
      throw new IllegalArgumentException("--keys FILE, or --store URL with the client's secret in STICKER_STORE_SECRET");
    return Refresher.fromStore(verifier, URI.create(arguments[1]), secret, START, System.err::println);
  }

  private static String answer(Verifier verifier, String line) {
    Matcher user = USER.matcher(line);
    Matcher sticker = STICKER.matcher(line);
    Matcher token = TOKEN.matcher(line);
    if (!user.find() || !sticker.find() || !token.find()) return "{\"accepted\":false,\"code\":\"bad_message\"}";
    byte[] sender = user.group(1).getBytes(StandardCharsets.UTF_8);
    Verifier.Verdict verdict = verifier.verify(token.group(1), Long.parseLong(sticker.group(1)), sender);
    if (verdict instanceof Verifier.Refused refused)
      return "{\"accepted\":false,\"code\":\"" + refused.refusal().code() + "\"}";
    return "{\"accepted\":true}";
  }
}
