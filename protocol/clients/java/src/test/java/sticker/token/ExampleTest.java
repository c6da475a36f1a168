package sticker.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static sticker.token.Samples.STICKER;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the example as its documentation says. */
class ExampleTest {
  private static final long EXPIRES = System.currentTimeMillis() / 1000 + 3600;

  private static String message(String user, String of) throws Exception {
    String token = Samples.issue(1, 3, EXPIRES, STICKER, of.getBytes(StandardCharsets.UTF_8));
    return "{\"sticker_id\":" + STICKER + ",\"token\":\"" + token + "\",\"user\":\"" + user + "\"}";
  }

  /** Waits for {@code ready}, sends the messages, and gives the answers once the program has ended by itself. */
  private static List<String> chat(String option, String value, String secret, String... messages) throws Exception {
    return chat(option, value, secret, String.join("\n", messages).getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> chat(String option, String value, String secret, byte[] messages) throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    ProcessBuilder builder = new ProcessBuilder(
        java, "-Xmx64m", "-Dfile.encoding=UTF-8", "-cp", "target/classes", "src/example/java/ChatServer.java", option, value);
    builder.environment().put("STICKER_STORE_SECRET", secret);
    Process program = builder.start();
    try (BufferedReader errors = program.errorReader(StandardCharsets.UTF_8);
        BufferedReader answers = program.inputReader(StandardCharsets.UTF_8)) {
      assertEquals("ready", errors.readLine());
      program.getOutputStream().write(messages);
      program.getOutputStream().close();
      List<String> lines = answers.lines().toList();
      assertEquals(List.of(), errors.lines().toList());
      assertEquals(0, program.waitFor());
      return lines;
    } finally {
      program.destroyForcibly();
    }
  }

  @Test
  void it_answers_with_a_key_file(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("keys.json"), Samples.RING);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    List<String> answers = chat("--keys", file.toString(), "",
        message("alice", "alice"), message("mallory", "alice"), message("zoë", "zoë"), "hello");
    assertEquals(
        List.of(
            "{\"accepted\":true}",
            "{\"accepted\":false,\"code\":\"wrong_user\"}",
            "{\"accepted\":true}",
            "{\"accepted\":false,\"code\":\"bad_message\"}"),
        answers);
  }

  @Test
  void no_line_of_a_user_ends_it(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("keys.json"), Samples.RING);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    String good = message("alice", "alice");
    byte[] part = "x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
    List<byte[]> bad = new ArrayList<>();
    bad.add("[".repeat(4_000).getBytes(StandardCharsets.UTF_8));
    bad.add(message("al\\u0069ce", "alice").getBytes(StandardCharsets.UTF_8));
    bad.add(message("zo\u00eb", "alice").getBytes(StandardCharsets.ISO_8859_1));
    bad.add(good.replace("8675309", "99999999999999999999").getBytes(StandardCharsets.UTF_8));
    bad.add(good.replace("}", ",\"user\":\"mallory\"}").getBytes(StandardCharsets.UTF_8));
    bad.add("{\"a\":1,".repeat(500).getBytes(StandardCharsets.UTF_8));
    bad.add((good + good).getBytes(StandardCharsets.UTF_8));
    bad.add(new byte[0]);
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    // Longer than the program's heap.
    for (int parts = 0; parts < 80; parts++) lines.write(part);
    for (byte[] line : bad) {
      lines.write('\n');
      lines.write(line);
    }
    lines.write(("\n" + good + "\n").getBytes(StandardCharsets.UTF_8));
    List<String> answers = new ArrayList<>(Collections.nCopies(bad.size() + 1, "{\"accepted\":false,\"code\":\"bad_message\"}"));
    answers.add("{\"accepted\":true}");
    assertEquals(answers, chat("--keys", file.toString(), "", lines.toByteArray()));
  }

  @Test
  void it_answers_with_a_store() throws Exception {
    try (TestStore store = new TestStore()) {
      String bob = HexFormat.of().formatHex("bob".getBytes(StandardCharsets.UTF_8));
      store.feed = exchange -> {
        if (exchange.getRequestURI().getQuery().endsWith("wait=0"))
          TestStore.text(200, Samples.page(1, false, Samples.entry(1, bob, EXPIRES, STICKER))).to(exchange);
      };
      String address = store.address().toString();
      List<String> answers = chat("--store", address, "sk_test", message("alice", "alice"), message("bob", "bob"));
      assertEquals(List.of("{\"accepted\":true}", "{\"accepted\":false,\"code\":\"revoked\"}"), answers);
      assertEquals(List.of("Bearer sk_test"), store.authorizations.stream().distinct().toList());
    }
  }
}
