package sticker.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** The cases that the verifiers of all languages agree on. */
class VectorsTest {
  private static final Path FILE = Path.of("../../vectors/tokens.json");

  private interface Check {
    void run(Map<?, ?> vector) throws Exception;
  }

  @TestFactory
  Stream<DynamicTest> tokens() throws Exception {
    return each("tokens", VectorsTest::token);
  }

  @TestFactory
  Stream<DynamicTest> rings() throws Exception {
    return each("rings", VectorsTest::ring);
  }

  @TestFactory
  Stream<DynamicTest> feeds() throws Exception {
    return each("feeds", VectorsTest::feed);
  }

  private static void token(Map<?, ?> vector) throws Exception {
    DenyList denied = new DenyList();
    denied.apply("{\"revocations\":" + write(vector.get("revocations")) + ",\"cursor\":0,\"more\":false}", 0);
    Verifier verifier = new Verifier(Keyring.parse("{\"keys\":" + write(vector.get("keys")) + "}"), denied);
    byte[] user = HexFormat.of().parseHex((String) vector.get("user_hex"));
    Verifier.Verdict verdict =
        verifier.verify((String) vector.get("text"), (Long) vector.get("sticker"), user, (Long) vector.get("now"));
    if (verdict instanceof Verifier.Refused refused) assertEquals(vector.get("result"), refused.refusal().code());
    else assertEquals(List.of("ok", verdict), List.of(vector.get("result"), new Verifier.Accepted((Long) vector.get("expires"))));
  }

  private static void ring(Map<?, ?> vector) throws Exception {
    String file = (String) vector.get("file");
    if (refuses(vector, () -> Keyring.parse(file))) return;
    assertEquals(vector.get("ids"), Keyring.parse(file).ids().stream().map(id -> (long) id).toList());
  }

  private static void feed(Map<?, ?> vector) throws Exception {
    String page = (String) vector.get("page");
    long after = vector.containsKey("after") ? (Long) vector.get("after") : 0;
    DenyList denied = new DenyList();
    if (refuses(vector, () -> denied.apply(page, after))) return;
    DenyList.Page read = denied.apply(page, after);
    assertEquals(
        List.of(vector.get("cursor"), vector.get("more"), vector.get("entries")),
        List.of(read.cursor(), read.more(), (long) read.entries()));
  }

  private static boolean refuses(Map<?, ?> vector, Executable reading) {
    if (vector.get("result").equals("ok")) return false;
    assertEquals(vector.get("result"), assertThrows(BadInputException.class, reading).code());
    return true;
  }

  private static Stream<DynamicTest> each(String kind, Check check) throws Exception {
    Map<?, ?> file = (Map<?, ?>) Json.parse(Files.readString(FILE));
    List<?> vectors = (List<?>) file.get(kind);
    assertFalse(vectors.isEmpty());
    System.out.println("vectors: " + vectors.size() + " " + kind);
    return vectors.stream().map(v -> (Map<?, ?>) v).map(v -> DynamicTest.dynamicTest((String) v.get("name"), () -> check.run(v)));
  }

  /** Parsed JSON as JSON again. */
  private static String write(Object value) {
    if (value instanceof Map<?, ?> map)
      return map.entrySet().stream()
          .map(member -> write(member.getKey()) + ":" + write(member.getValue()))
          .collect(Collectors.joining(",", "{", "}"));
    if (value instanceof List<?> list) return list.stream().map(VectorsTest::write).collect(Collectors.joining(",", "[", "]"));
    if (value instanceof String string) return '"' + string.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    return String.valueOf(value);
  }
}
