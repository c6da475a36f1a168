package sticker.token;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/** What a verifier asks the store, sections 1.5 and 1.6. One thread asks for the ring and one for the feed. */
final class StoreClient {
  /** The longest answer that is read, in bytes. */
  static final int MAX_BODY = 8 << 20;

  /** Pages without a rest: a store whose feed has no end gets one after so many. */
  static final int PAGES_AT_ONCE = 100;

  private static final String LOOPBACK = "(?i)localhost|127(\\.\\d{1,3}){3}|\\[(::|(0{1,4}:){7})0{0,3}1]";
  /** Seconds between two looks through the deny list for what may be forgotten. */
  private static final long BETWEEN_FORGETTING = 60;
  /** So many failures in a row may be the HTTP client's own: a heap that was full for a moment can end its thread for ever. */
  private static final int FAILURES_OF_A_CLIENT = 20;

  /** One for all, because each has threads of its own that only the garbage collector ends. */
  private static final AtomicReference<HttpClient> SHARED = new AtomicReference<>();

  private final String address;
  private final String authorization;
  private final Duration patience;
  private final Duration rest;
  private final LongSupplier clock;
  private final AtomicInteger failedInARow = new AtomicInteger();
  private String etag;
  private long cursor;
  private long forgotAt = -1;

  /**
   * With the patience for a whole answer, besides what the store was asked to wait; the rest after many pages; and a clock of
   * Unix seconds.
   */
  StoreClient(URI store, String secret, Duration patience, Duration rest, LongSupplier clock) {
    // The HTTP client would quote a secret that fits into no header.
    if (!secret.matches("[!-~]+")) throw new IllegalArgumentException("the client's secret is no word of ASCII characters");
    boolean safe = "https".equalsIgnoreCase(store.getScheme()) && store.getHost() != null
        || "http".equalsIgnoreCase(store.getScheme()) && store.getHost() != null && store.getHost().matches(LOOPBACK);
    if (!safe) throw new IllegalArgumentException("the store's address is neither https nor http to this host");
    this.address = store.toString().replaceFirst("/+$", "");
    this.authorization = "Bearer " + secret;
    this.patience = patience;
    this.rest = rest;
    this.clock = clock;
  }

  /** Gives the verifier the store's ring if it changed. */
  void ring(Verifier verifier) throws Exception {
    HttpResponse<byte[]> answer = ask("/v1/keyring", etag, patience);
    if (answer.statusCode() == 304 && etag != null) return;
    verifier.use(Keyring.parse(content(answer)));
    etag = answer.headers().firstValue("ETag").orElse(null);
  }

  /** Gives the verifier what is new in the feed, all pages; the store may wait for news. */
  void feed(Verifier verifier, Duration wait) throws Exception {
    boolean more = true;
    for (int pages = 1; more; pages++) {
      String query = "/v1/revocations?after=" + cursor + "&wait=" + wait.toSeconds();
      HttpResponse<byte[]> answer = ask(query, null, patience.plus(wait));
      if (answer.statusCode() == 409 && cursor > 0) {
        cursor = 0;
        throw new Refresher.Failure("cursor_ahead: the store was restored; begins again and keeps the entries");
      }
      DenyList.Page page = verifier.denied().apply(content(answer), cursor);
      more = page.more();
      cursor = page.cursor();
      if (more && pages % PAGES_AT_ONCE == 0) Thread.sleep(rest.toMillis());
    }
    forget(verifier.denied(), clock.getAsLong());
  }

  /** Forgets late and seldom. A clock that was ahead made it forget what counts again: the store still has it. */
  private void forget(DenyList denied, long now) {
    if (forgotAt >= 0 && now < forgotAt - DenyList.KEPT) {
      cursor = 0;
      forgotAt = -1;
    } else if (forgotAt < 0 || now >= forgotAt + BETWEEN_FORGETTING) {
      denied.forgetExpired(now);
      forgotAt = now;
    }
  }

  private static String content(HttpResponse<byte[]> answer) throws Refresher.Failure {
    if (answer.statusCode() != 200) throw new Refresher.Failure("the store answered " + answer.statusCode());
    return Refresher.utf8(answer.body());
  }

  private HttpResponse<byte[]> ask(String path, String etag, Duration patience) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + path)).header("Authorization", authorization);
    if (etag != null) request.header("If-None-Match", etag);
    HttpClient client = SHARED.updateAndGet(shared -> shared != null ? shared : newClient());
    CompletableFuture<HttpResponse<byte[]>> question = client.sendAsync(request.build(), head -> bounded());
    try {
      // Unlike the request's own timeout this one covers the connection and the body.
      HttpResponse<byte[]> answer = question.get(patience.toMillis(), TimeUnit.MILLISECONDS);
      failedInARow.set(0);
      return answer;
    } catch (Exception | Error e) {
      if (failedInARow.incrementAndGet() % FAILURES_OF_A_CLIENT == 0) SHARED.compareAndSet(client, null);
      throw e;
    } finally {
      question.cancel(true);
    }
  }

  private static HttpClient newClient() {
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  private static BodySubscriber<byte[]> bounded() {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    return BodySubscribers.mapping(
        BodySubscribers.ofByteArrayConsumer(
            part -> {
              part.ifPresent(body::writeBytes);
              if (body.size() > MAX_BODY) throw new UncheckedIOException(new IOException("too long"));
            }),
        end -> body.toByteArray());
  }
}
