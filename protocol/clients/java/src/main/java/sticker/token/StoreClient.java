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

/** What a verifier asks the store, sections 1.5 and 1.6. One thread asks for the ring and one for the feed. */
final class StoreClient {
  /** The longest answer that is read, in bytes. */
  static final int MAX_BODY = 16 << 20;

  private final HttpClient client;
  private final String address;
  private final String authorization;
  private final Duration patience;
  private String etag;
  private long cursor;

  /** With the patience for a whole answer, besides what the store was asked to wait. */
  StoreClient(URI store, String secret, Duration patience) {
    // The HTTP client would quote a secret that fits into no header.
    if (!secret.matches("[!-~]+")) throw new IllegalArgumentException("the client's secret is no word of ASCII characters");
    HttpRequest.newBuilder(store); // Refuses what is no http or https address now and not on a thread later.
    this.client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(patience).build();
    this.address = store.toString().replaceFirst("/+$", "");
    this.authorization = "Bearer " + secret;
    this.patience = patience;
  }

  /** Gives the verifier the store's ring if it changed. */
  void ring(Verifier verifier) throws Exception {
    verifier.denied().forgetExpired(System.currentTimeMillis() / 1000);
    HttpResponse<byte[]> answer = ask("/v1/keyring", etag, patience);
    if (answer.statusCode() == 304 && etag != null) return;
    verifier.use(Keyring.parse(content(answer)));
    etag = answer.headers().firstValue("ETag").orElse(null);
  }

  /** Gives the verifier what is new in the feed, all pages; the store may wait for news. */
  void feed(Verifier verifier, Duration wait) throws Exception {
    boolean more = true;
    while (more) {
      String query = "/v1/revocations?after=" + cursor + "&wait=" + wait.toSeconds();
      HttpResponse<byte[]> answer = ask(query, null, patience.plus(wait));
      if (answer.statusCode() == 409 && cursor > 0) {
        cursor = 0;
        throw new Refresher.Failure("cursor_ahead: the store was restored; begins again and keeps the entries");
      }
      DenyList.Page page = verifier.denied().apply(content(answer));
      more = page.more();
      if (page.cursor() < cursor || more && page.cursor() == cursor)
        throw new Refresher.Failure("bad_page: the cursor does not advance");
      cursor = page.cursor();
    }
  }

  private static String content(HttpResponse<byte[]> answer) throws Refresher.Failure {
    if (answer.statusCode() != 200) throw new Refresher.Failure("the store answered " + answer.statusCode());
    return Refresher.utf8(answer.body());
  }

  private HttpResponse<byte[]> ask(String path, String etag, Duration patience) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + path)).header("Authorization", authorization);
    if (etag != null) request.header("If-None-Match", etag);
    CompletableFuture<HttpResponse<byte[]>> answer = client.sendAsync(request.build(), head -> bounded());
    try {
      // Unlike the request's own timeout this one covers the body.
      return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } finally {
      answer.cancel(true);
    }
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
