package sticker.token;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** An HTTP server on a port of its own whose two answers a test sets. */
final class TestStore implements AutoCloseable {
  /** Answers one request. */
  interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  /** Paths with queries, in the order in which they came. */
  final List<String> requests = new CopyOnWriteArrayList<>();
  final List<String> authorizations = new CopyOnWriteArrayList<>();
  /** How many answers were 304. */
  final AtomicInteger unchanged = new AtomicInteger();
  volatile Answer ring = text(200, Samples.RING);
  volatile Answer feed = text(200, Samples.page(0, false));
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server;

  TestStore() throws IOException {
    this(0);
  }

  TestStore(int port) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    server.setExecutor(threads);
    server.createContext("/v1/keyring", exchange -> answer(exchange, ring));
    server.createContext("/v1/revocations", exchange -> answer(exchange, feed));
    server.start();
  }

  private void answer(HttpExchange exchange, Answer answer) throws IOException {
    requests.add(exchange.getRequestURI().toString());
    authorizations.add(exchange.getRequestHeaders().getFirst("Authorization"));
    answer.to(exchange);
    if (exchange.getResponseCode() == 304) unchanged.incrementAndGet();
  }

  static Answer text(int status, String body) {
    return exchange -> send(exchange, status, body.getBytes());
  }

  static Answer tagged(String etag, String body) {
    return exchange -> {
      boolean same = etag.equals(exchange.getRequestHeaders().getFirst("If-None-Match"));
      exchange.getResponseHeaders().set("ETag", etag);
      send(exchange, same ? 304 : 200, same ? new byte[0] : body.getBytes());
    };
  }

  static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) exchange.getResponseBody().write(body);
    exchange.close();
  }

  /** How often exactly this was asked. */
  long asked(String request) {
    return requests.stream().filter(request::equals).count();
  }

  int port() {
    return server.getAddress().getPort();
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + port() + "/");
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
