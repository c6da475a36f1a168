import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sticker.token.DenyList;
import sticker.token.Keyring;
import sticker.token.Refresher;
import sticker.token.Verifier;

/**
 * What a chat server does with stickers: a message on each line of the standard input, its fate on each line of the output.
 * Whatever a line holds, it gets an answer and the next one is read.
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
  /** Bytes of a line; of a longer one the rest is passed over. */
  private static final int MAX_LINE = 4096;
  // A chat server has a reader for its messages; texts without escapes and whole numbers are enough to try it.
  private static final Pattern FIELD =
      Pattern.compile("[{,]\\s*\"(\\w+)\"\\s*:\\s*(?:\"([^\"\\\\\\x00-\\x1f]*)\"|(0|[1-9]\\d{0,17}))\\s*");
  private static final String BAD_MESSAGE = "{\"accepted\":false,\"code\":\"bad_message\"}";

  private ChatServer() {}

  public static void main(String[] arguments) throws InterruptedException, IOException {
    Verifier verifier = new Verifier(Keyring.EMPTY, new DenyList());
    try (Refresher refresher = start(verifier, arguments)) {
      System.err.println("ready");
      InputStream messages = new BufferedInputStream(System.in);
      for (byte[] line = readLine(messages); line != null; line = readLine(messages))
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

  /** A line without its end, of a too long one a byte more than a line may have; null behind the last one. */
  private static byte[] readLine(InputStream input) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int b = input.read();
    if (b < 0) return null;
    for (; b >= 0 && b != '\n'; b = input.read()) if (line.size() <= MAX_LINE) line.write(b);
    return line.toByteArray();
  }

  private static String answer(Verifier verifier, byte[] line) {
    Map<String, Object> message = line.length > MAX_LINE ? null : read(line);
    if (message == null
        || !(message.get("user") instanceof String user
            && message.get("sticker_id") instanceof Long sticker
            && message.get("token") instanceof String token)) return BAD_MESSAGE;
    Verifier.Verdict verdict = verifier.verify(token, sticker, user.getBytes(StandardCharsets.UTF_8));
    if (verdict instanceof Verifier.Refused refused)
      return "{\"accepted\":false,\"code\":\"" + refused.refusal().code() + "\"}";
    return "{\"accepted\":true}";
  }

  /** The fields of a flat object; null for what is none. */
  private static Map<String, Object> read(byte[] line) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString().strip();
    } catch (CharacterCodingException e) {
      return null;
    }
    Map<String, Object> fields = new HashMap<>();
    Matcher field = FIELD.matcher(text);
    while (field.lookingAt()) {
      boolean first = field.start() == 0;
      Object value = field.group(2) != null ? field.group(2) : (Object) Long.valueOf(field.group(3));
      if (first != (text.charAt(field.start()) == '{') || fields.put(field.group(1), value) != null) return null;
      field.region(field.end(), text.length());
    }
    return text.substring(field.regionStart()).equals("}") ? fields : null;
  }
}
