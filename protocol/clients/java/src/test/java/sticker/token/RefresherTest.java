package sticker.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static sticker.token.Samples.EXPIRES;
import static sticker.token.Samples.NOW;
import static sticker.token.Samples.RING;
import static sticker.token.Samples.STICKER;
import static sticker.token.Samples.TOKEN;
import static sticker.token.Samples.USER;
import static sticker.token.Samples.USER_HEX;
import static sticker.token.Samples.entry;
import static sticker.token.Samples.page;
import static sticker.token.TestStore.tagged;
import static sticker.token.TestStore.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RefresherTest {
  private static final String SECRET = "sk_very_secret";
  private static final String OTHER_RING = RING.replace("\"id\":3", "\"id\":5");
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Refresher.Pace QUICK = pace(Duration.ofSeconds(20));

  private final Verifier verifier = new Verifier(Keyring.EMPTY, new DenyList());
  private final List<String> told = new CopyOnWriteArrayList<>();

  @TempDir Path folder;

  private static Refresher.Pace pace(Duration answer) {
    Duration soon = Duration.ofMillis(20);
    return new Refresher.Pace(soon, soon, soon, soon, soon, answer);
  }

  private Refresher follow(URI store, Duration timeout, Refresher.Pace pace) throws Exception {
    return Refresher.fromStore(verifier, store, SECRET, timeout, told::add, pace);
  }

  private Refresher follow(TestStore store) throws Exception {
    return follow(store.address(), PATIENCE, QUICK);
  }

  private Refresher watch(Path file) throws Exception {
    return Refresher.fromKeyFile(verifier, file, told::add, QUICK);
  }

  private static void until(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, "what the test waits for did not come");
      Thread.sleep(5);
    }
  }

  private String verdict() {
    return verifier.verify(TOKEN, STICKER, USER, NOW) instanceof Verifier.Refused refused ? refused.refusal().code() : "ok";
  }

  private Path keyFile(String content, String permissions) throws IOException {
    Path file = folder.resolve("keys.json");
    Files.deleteIfExists(file);
    Files.writeString(file, content);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    return file;
  }

  @Test
  void it_is_ready_with_the_ring_and_all_pages_of_the_feed() throws Exception {
    try (TestStore store = new TestStore()) {
      store.feed = exchange -> {
        String query = exchange.getRequestURI().getQuery();
        String page =
            query.startsWith("after=0&") ? page(5, true, entry(5, "61", EXPIRES, 1))
            : query.startsWith("after=5&") ? page(9, true, entry(8, USER_HEX, EXPIRES, STICKER))
            : page(12, false, entry(12, null, EXPIRES, 2));
        text(200, page).to(exchange);
      };
      try (Refresher refresher = follow(store)) {
        assertEquals("revoked", verdict());
        assertEquals(3, verifier.denied().size());
        assertEquals(0, refresher.failures());
        assertFalse(refresher.ringAge().isNegative());
        assertTrue(refresher.feedAge().isPresent());
        until(() -> store.asked("/v1/revocations?after=12&wait=25") > 0);
      }
      assertEquals(List.of("Bearer " + SECRET), store.authorizations.stream().distinct().toList());
      // Waiting for news before it knows what there is would make the start slow.
      assertEquals(1, store.asked("/v1/revocations?after=0&wait=0"));
    }
  }

  @Test
  void an_unchanged_ring_is_not_sent_again_and_a_new_one_is_taken() throws Exception {
    try (TestStore store = new TestStore()) {
      store.ring = tagged("\"1\"", RING);
      try (Refresher refresher = follow(store)) {
        until(() -> store.unchanged.get() > 2);
        assertEquals("ok", verdict());
        assertEquals(0, refresher.failures());
        store.ring = tagged("\"2\"", OTHER_RING);
        until(() -> verdict().equals("unknown_key"));
      }
    }
  }

  @Test
  void a_bad_ring_leaves_the_last_good_one_and_is_told_once() throws Exception {
    try (TestStore store = new TestStore(); Refresher refresher = follow(store)) {
      store.ring = text(200, "{\"keys\":[{\"id\":3,\"secret\":\"0123\",\"state\":\"signing\"}]}");
      until(() -> refresher.failures() > 3);
      assertEquals("ok", verdict());
      assertEquals(List.of("ring: bad_key: keys[0]"), told);
      store.ring = text(200, OTHER_RING);
      until(() -> verdict().equals("unknown_key"));
    }
  }

  @Test
  void a_store_that_is_not_there_at_the_start_is_the_reason_why_not() throws Exception {
    URI nowhere;
    try (TestStore store = new TestStore()) {
      nowhere = store.address();
    }
    Exception e = assertThrows(Refresher.Failure.class, () -> follow(nowhere, Duration.ofMillis(300), QUICK));
    assertEquals("ring: ConnectException", e.getMessage());
  }

  @Test
  void a_secret_that_the_store_does_not_know_is_the_reason_why_not() throws Exception {
    try (TestStore store = new TestStore()) {
      store.ring = text(401, "{\"error\":{\"code\":\"unauthorized\"}}");
      Exception e = assertThrows(Refresher.Failure.class, () -> follow(store.address(), Duration.ofMillis(300), QUICK));
      assertEquals("ring: the store answered 401", e.getMessage());
    }
  }

  @Test
  void without_the_feed_it_is_not_ready() throws Exception {
    try (TestStore store = new TestStore()) {
      store.feed = text(503, "");
      Exception e = assertThrows(Refresher.Failure.class, () -> follow(store.address(), Duration.ofMillis(300), QUICK));
      assertEquals("feed: the store answered 503", e.getMessage());
    }
  }

  @Test
  void a_store_that_goes_away_and_comes_back_is_followed_again() throws Exception {
    TestStore store = new TestStore();
    try (Refresher refresher = follow(store)) {
      store.close();
      until(() -> refresher.failures() > 4);
      assertEquals("ok", verdict());
      Duration age = refresher.ringAge();
      until(() -> refresher.ringAge().compareTo(age) > 0 && refresher.feedAge().orElseThrow().compareTo(Duration.ZERO) > 0);
      try (TestStore again = new TestStore(store.port())) {
        again.ring = text(200, OTHER_RING);
        again.feed = text(200, page(3, false, entry(3, "61", EXPIRES, 1)));
        until(() -> verdict().equals("unknown_key") && verifier.denied().size() == 1);
      }
    } finally {
      store.close();
    }
  }

  @Test
  void a_store_that_begins_an_answer_and_never_ends_it_is_left() throws Exception {
    try (TestStore store = new TestStore()) {
      store.ring = exchange -> {
        exchange.sendResponseHeaders(200, 1_000);
        exchange.getResponseBody().write('{');
        exchange.getResponseBody().flush();
      };
      Exception e = assertThrows(Refresher.Failure.class,
          () -> follow(store.address(), Duration.ofSeconds(3), pace(Duration.ofMillis(200))));
      assertEquals("ring: TimeoutException", e.getMessage());
      assertTrue(store.asked("/v1/keyring") > 1);
    }
  }

  @Test
  void an_answer_without_end_is_not_kept() throws Exception {
    try (TestStore store = new TestStore()) {
      store.ring = exchange -> {
        exchange.sendResponseHeaders(200, 0);
        byte[] part = " ".repeat(1 << 16).getBytes();
        for (int sent = 0; sent <= 2 * StoreClient.MAX_BODY; sent += part.length) exchange.getResponseBody().write(part);
        exchange.getResponseBody().write(RING.getBytes());
        exchange.close();
      };
      assertThrows(Refresher.Failure.class, () -> follow(store.address(), Duration.ofSeconds(3), QUICK));
      assertTrue(told.stream().anyMatch(line -> line.matches("ring: .*Exception")), told::toString);
    }
  }

  @Test
  void a_cursor_that_the_store_never_gave_begins_again_and_keeps_the_entries() throws Exception {
    try (TestStore store = new TestStore()) {
      store.feed = text(200, page(7, false, entry(7, USER_HEX, EXPIRES, STICKER)));
      try (Refresher refresher = follow(store)) {
        store.feed = exchange -> {
          boolean begins = exchange.getRequestURI().getQuery().startsWith("after=0&");
          boolean knows = exchange.getRequestURI().getQuery().startsWith("after=2&");
          text(begins || knows ? 200 : 409, begins ? page(2, false, entry(2, "61", EXPIRES, 1)) : page(2, false)).to(exchange);
        };
        until(() -> store.asked("/v1/revocations?after=2&wait=25") > 0);
        assertEquals("revoked", verdict());
        assertEquals(2, verifier.denied().size());
        assertEquals(1, refresher.failures());
        assertEquals(1, told.size());
        assertTrue(told.get(0).startsWith("feed: cursor_ahead"));
      }
    }
  }

  @Test
  void a_bad_page_is_refused_and_the_cursor_stays() throws Exception {
    try (TestStore store = new TestStore()) {
      store.feed = text(200, page(7, false));
      try (Refresher refresher = follow(store)) {
        store.feed = text(200, page(8, false, entry(8, USER_HEX, -1, STICKER)));
        until(() -> refresher.failures() > 2);
        assertEquals(List.of("feed: bad_page: revocations[0]"), told);
        assertEquals("ok", verdict());
        assertEquals(0, store.requests.stream().filter(request -> request.contains("after=8")).count());
        assertTrue(store.asked("/v1/revocations?after=7&wait=0") > 0);
      }
    }
  }

  @Test
  void more_without_a_later_cursor_is_no_endless_loop() throws Exception {
    try (TestStore store = new TestStore()) {
      store.feed = text(200, page(0, true));
      Exception e = assertThrows(Refresher.Failure.class, () -> follow(store.address(), Duration.ofMillis(300), QUICK));
      assertEquals("feed: bad_page: the cursor does not advance", e.getMessage());
    }
  }

  @Test
  void entries_that_have_expired_are_forgotten() throws Exception {
    try (TestStore store = new TestStore()) {
      store.feed = text(200, page(1, false, entry(1, "61", 1_000, 1), entry(1, "61", 0xffff_ffffL, 2)));
      try (Refresher refresher = follow(store)) {
        store.feed = text(200, page(1, false));
        until(() -> verifier.denied().size() == 1);
      }
    }
  }

  @Test
  void a_secret_that_fits_into_no_header_is_refused_unseen() {
    for (String secret : List.of("", "sk_a\nb", "sk_é"))
      assertEquals("the client's secret is no word of ASCII characters",
          assertThrows(IllegalArgumentException.class,
              () -> Refresher.fromStore(verifier, URI.create("http://127.0.0.1:1"), secret, PATIENCE, told::add)).getMessage());
  }

  @Test
  void a_listener_that_throws_does_not_end_the_refreshing() throws Exception {
    try (TestStore store = new TestStore();
        Refresher refresher = Refresher.fromStore(verifier, store.address(), SECRET, PATIENCE, line -> {
          throw new IllegalStateException(line);
        }, QUICK)) {
      store.ring = text(500, "");
      until(() -> refresher.failures() > 2);
      store.ring = text(200, OTHER_RING);
      until(() -> verdict().equals("unknown_key"));
    }
  }

  @Test
  void an_error_of_a_listener_does_not_end_the_refreshing() throws Exception {
    try (TestStore store = new TestStore();
        Refresher refresher = Refresher.fromStore(verifier, store.address(), SECRET, PATIENCE, line -> {
          throw new AssertionError(line);
        }, QUICK)) {
      store.ring = text(500, "");
      until(() -> refresher.failures() > 2);
      store.ring = text(200, OTHER_RING);
      until(() -> verdict().equals("unknown_key"));
    }
  }

  @Test
  void a_page_too_large_for_the_heap_is_told_and_the_next_one_taken() throws Exception {
    String[] entries = new String[10_000];
    long[] stickers = LongStream.range(0, 20).map(id -> Verifier.MAX_STICKER - id).toArray();
    for (int user = 0; user < entries.length; user++)
      entries[user] = entry(1, String.format("%0256x", user + 1), EXPIRES, stickers);
    String large = page(1, false, entries);
    try (TestStore store = new TestStore()) {
      store.feed = text(200, large);
      String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
      Process program = new ProcessBuilder(java, "-Xmx32m", "-XX:+UseSerialGC", "-cp", "target/classes:target/test-classes",
          "sticker.token.SmallHeap", store.address().toString()).redirectErrorStream(true).start();
      try (BufferedReader lines = program.inputReader()) {
        // The same full heap may fail the ring's thread or a thread of the HTTP client too.
        assertTrue(lines.lines().anyMatch("feed: OutOfMemoryError"::equals));
        store.feed = text(200, page(2, false, entry(2, USER_HEX, EXPIRES, STICKER)));
        assertTrue(lines.lines().anyMatch("1 denied"::equals));
        assertEquals(0, program.waitFor());
      } finally {
        program.destroyForcibly();
      }
    }
  }

  @Test
  void all_refreshers_share_the_threads_of_one_http_client() throws Exception {
    try (TestStore store = new TestStore()) {
      follow(store).close();
      Set<String> before = selectors();
      for (int times = 0; times < 5; times++) follow(store).close();
      assertTrue(before.containsAll(selectors()), () -> before + " became " + selectors());
    }
  }

  private static Set<String> selectors() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName).filter(name -> name.contains("SelectorManager")).collect(Collectors.toSet());
  }

  @Test
  void plain_http_is_for_this_host_alone() {
    for (String store : List.of("http://stickers.example.com", "http://127.0.0.1.example.com", "http://127.0.0.1@example.com",
        "http://10.0.0.1", "http://[::2]", "http:stickers", "ftp://127.0.0.1", "stickers"))
      assertEquals("the store's address is neither https nor http to this host",
          assertThrows(IllegalArgumentException.class,
              () -> Refresher.fromStore(verifier, URI.create(store), SECRET, PATIENCE, told::add)).getMessage(), store);
    for (String store : List.of("https://stickers.example.com", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:80/",
        "http://[0:0:0:0:0:0:0:1]", "HTTP://LocalHost"))
      client(URI.create(store), () -> 0);
  }

  private static StoreClient client(URI store, LongSupplier clock) {
    return new StoreClient(store, SECRET, PATIENCE, Duration.ofMillis(20), clock);
  }

  @Test
  void a_page_that_does_not_advance_enters_nothing() throws Exception {
    try (TestStore store = new TestStore()) {
      store.feed = text(200, page(5, false));
      try (Refresher refresher = follow(store)) {
        for (String stuck : List.of(
            page(5, true, entry(5, USER_HEX, EXPIRES, STICKER)), page(4, false, entry(4, USER_HEX, EXPIRES, STICKER)))) {
          store.feed = text(200, stuck);
          long failures = refresher.failures();
          until(() -> refresher.failures() > failures + 1);
          assertEquals(0, verifier.denied().size());
        }
      }
    }
  }

  @Test
  void a_feed_without_end_gets_a_rest_after_many_pages() throws Exception {
    try (TestStore store = new TestStore()) {
      AtomicLong cursor = new AtomicLong();
      store.feed = exchange -> text(200, page(cursor.incrementAndGet(), true)).to(exchange);
      StoreClient client = new StoreClient(store.address(), SECRET, PATIENCE, Duration.ofDays(1), () -> NOW);
      Thread feed = new Thread(() -> {
        try {
          client.feed(verifier, Duration.ZERO);
        } catch (Exception ended) {
          told.add(ended.getClass().getSimpleName());
        }
      });
      feed.start();
      until(() -> feed.getState() == Thread.State.TIMED_WAITING
          && Arrays.stream(feed.getStackTrace()).anyMatch(frame -> frame.getMethodName().equals("sleep")));
      assertEquals(StoreClient.PAGES_AT_ONCE, cursor.get());
      feed.interrupt();
      feed.join();
      assertEquals(List.of("InterruptedException"), told);
    }
  }

  @Test
  void it_forgets_at_most_once_a_minute() throws Exception {
    try (TestStore store = new TestStore()) {
      AtomicLong clock = new AtomicLong(EXPIRES + 299);
      StoreClient client = client(store.address(), clock::get);
      store.feed = text(200, page(18, false, entry(18, USER_HEX, EXPIRES, STICKER)));
      List<Integer> sizes = new ArrayList<>();
      for (int passed : new int[] {299, 358, 359}) {
        clock.set(EXPIRES + passed);
        client.feed(verifier, Duration.ZERO);
        sizes.add(verifier.denied().size());
      }
      assertEquals(List.of(1, 1, 0), sizes);
    }
  }

  @Test
  void a_clock_that_was_ahead_makes_it_read_again_what_it_forgot() throws Exception {
    try (TestStore store = new TestStore()) {
      AtomicLong clock = new AtomicLong(EXPIRES + 1_000);
      StoreClient client = client(store.address(), clock::get);
      store.feed = exchange -> text(200, exchange.getRequestURI().getQuery().startsWith("after=0&")
          ? page(18, false, entry(18, USER_HEX, EXPIRES, STICKER)) : page(18, false)).to(exchange);
      verifier.use(Keyring.parse(RING));
      client.feed(verifier, Duration.ZERO);
      assertEquals(0, verifier.denied().size());
      for (long now : new long[] {EXPIRES + 700, EXPIRES + 699, NOW, NOW}) {
        clock.set(now);
        client.feed(verifier, Duration.ZERO);
      }
      assertEquals("revoked", verdict());
      assertEquals(
          List.of(0, 18, 18, 0, 18),
          store.requests.stream().map(request -> Integer.valueOf(request.replaceAll(".*after=(\\d+)&.*", "$1"))).toList());
    }
  }

  @Test
  void closing_ends_the_threads() throws Exception {
    try (TestStore store = new TestStore()) {
      store.feed = exchange -> {
        if (exchange.getRequestURI().getQuery().endsWith("wait=0")) text(200, page(0, false)).to(exchange);
        // Else a long poll that nothing ends but the client.
      };
      follow(store).close();
      until(() -> Thread.getAllStackTraces().keySet().stream().noneMatch(t -> t.getName().startsWith("sticker-token-")));
      assertEquals(List.of(), told);
    }
  }

  @Test
  void a_key_file_is_read_again_when_it_changes() throws Exception {
    Path file = keyFile(RING, "rw-------");
    try (Refresher refresher = watch(file)) {
      assertEquals("ok", verdict());
      assertEquals(Optional.empty(), refresher.feedAge());
      Files.writeString(file, "{\"keys\":[{\"id\":\"three\"}]}");
      until(() -> refresher.failures() > 2);
      assertEquals("ok", verdict());
      Files.delete(file);
      until(() -> told.size() > 1);
      keyFile(OTHER_RING, "rw-------");
      until(() -> verdict().equals("unknown_key"));
      assertEquals(List.of("ring: bad_id: keys[0]", "ring: NoSuchFileException"), told.subList(0, 2));
    }
  }

  @Test
  void a_bad_key_file_is_refused_at_the_start_with_its_place() throws Exception {
    String key = "{\"id\":3,\"secret\":\"" + Samples.SECRET_HEX + "\" \"state\":\"signing\"}";
    Path file = keyFile("{\"keys\":[\n  " + key + "]}", "rw-------");
    assertEquals("ring: bad_json: line 2", assertThrows(Refresher.Failure.class, () -> watch(file)).getMessage());
    assertEquals("ring: NoSuchFileException",
        assertThrows(Refresher.Failure.class, () -> watch(folder.resolve("none.json"))).getMessage());
    Files.write(file, new byte[] {'{', (byte) 0xff, '}'});
    assertEquals("ring: not UTF-8", assertThrows(Refresher.Failure.class, () -> watch(file)).getMessage());
  }

  @Test
  void what_is_no_regular_file_or_too_long_is_no_key_file() throws Exception {
    assertEquals("ring: " + folder + " is no regular file",
        assertThrows(Refresher.Failure.class, () -> watch(folder)).getMessage());
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", "-m", "600", pipe.toString()).start().waitFor());
    assertEquals("ring: " + pipe + " is no regular file",
        assertThrows(Refresher.Failure.class, () -> watch(pipe)).getMessage());
    Path file = keyFile(RING + " ".repeat(Refresher.MAX_FILE - RING.length()), "rw-------");
    watch(file).close();
    Files.writeString(file, " ", StandardOpenOption.APPEND);
    assertEquals("ring: " + file + " is longer than 16777216 bytes",
        assertThrows(Refresher.Failure.class, () -> watch(file)).getMessage());
  }

  @Test
  void a_key_file_that_others_may_use_is_refused() throws Exception {
    for (String permissions : List.of("rw-r-----", "rw----r--", "rw-----w-", "rwx--x---")) {
      Path file = keyFile(RING, permissions);
      String reason = assertThrows(Refresher.Failure.class, () -> watch(file)).getMessage();
      assertEquals("ring: others than its owner may use " + file + ": chmod 600", reason);
    }
    watch(keyFile(RING, "r--------")).close();
  }
}
