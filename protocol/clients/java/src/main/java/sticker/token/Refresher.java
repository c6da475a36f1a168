package sticker.token;

import static java.time.Duration.ofSeconds;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Keeps a {@link Verifier}'s ring and deny list fresh from daemon threads: from the store, or the ring alone from a key file.
 * Where that fails the verifier goes on with what it has, the ages grow, and the failure is counted, and told once until it
 * changes.
 */
public final class Refresher implements AutoCloseable {
  /** Why something could not be refreshed, in words that hold nothing secret. */
  public static final class Failure extends Exception {
    private static final long serialVersionUID = 1;

    Failure(String reason) {
      super(reason);
    }
  }

  /** Time between looks at a file, the store's ring, the feed (at least); first and longest retry; the store's time to answer. */
  record Pace(Duration file, Duration ring, Duration feed, Duration retry, Duration longestRetry, Duration answer) {
    static final Pace USUAL = new Pace(ofSeconds(5), ofSeconds(30), ofSeconds(1), ofSeconds(1), ofSeconds(30), ofSeconds(10));
  }

  /** One look at what is kept fresh. */
  private interface Look {
    void take() throws Exception;
  }

  private static final Duration LONG_POLL = ofSeconds(25);
  /** The longest key file, in bytes: twice what the largest ring takes. */
  static final int MAX_FILE = 16 << 20;

  private final Verifier verifier;
  private final Consumer<String> onFailure;
  private final Pace pace;
  private final Watch ring = new Watch("ring");
  private final Watch feed = new Watch("feed");
  private final AtomicLong failures = new AtomicLong();
  private volatile boolean closed;

  private Refresher(Verifier verifier, Consumer<String> onFailure, Pace pace) {
    this.verifier = verifier;
    this.onFailure = onFailure;
    this.pace = pace;
  }

  /**
   * Reads a key file, which only its owner may use, and again within seconds whenever it changes.
   *
   * @param onFailure is told of failures, a line each, on a background thread
   * @throws Failure if the file cannot be used at the start
   */
  public static Refresher fromKeyFile(Verifier verifier, Path file, Consumer<String> onFailure) throws Failure {
    return fromKeyFile(verifier, file, onFailure, Pace.USUAL);
  }

  static Refresher fromKeyFile(Verifier verifier, Path file, Consumer<String> onFailure, Pace pace) throws Failure {
    Refresher refresher = new Refresher(verifier, onFailure, pace);
    Look look = refresher.new KeyFile(file);
    try {
      look.take();
    } catch (Exception e) {
      throw new Failure("ring: " + reason(e));
    }
    refresher.ring.succeeded();
    refresher.ring.keep(look, pace.file, pace.file, pace.file);
    return refresher;
  }

  /**
   * Follows the store's ring and deny feed, and returns once both are there.
   *
   * @param store its address, to which {@code /v1/...} is appended: https, or http to a loopback host
   * @param secret of an API client with the scope {@code verify} or {@code verify_public}
   * @param timeout how long to wait for the first ring and for the feed up to now
   * @param onFailure is told of failures, a line each, on a background thread
   * @throws Failure if they are not there in time, with the last reason
   * @throws IllegalArgumentException if the address or the secret can be none
   */
  public static Refresher fromStore(Verifier verifier, URI store, String secret, Duration timeout, Consumer<String> onFailure)
      throws Failure, InterruptedException {
    return fromStore(verifier, store, secret, timeout, onFailure, Pace.USUAL);
  }

  static Refresher fromStore(
      Verifier verifier, URI store, String secret, Duration timeout, Consumer<String> onFailure, Pace pace)
      throws Failure, InterruptedException {
    Refresher refresher = new Refresher(verifier, onFailure, pace);
    StoreClient client =
        new StoreClient(store, secret, pace.answer, pace.feed, () -> System.currentTimeMillis() / 1000);
    long deadline = System.nanoTime() + timeout.toNanos();
    refresher.ring.keep(() -> client.ring(verifier), pace.ring, pace.retry, pace.longestRetry);
    // After a failure, and at first, it asks what there is now: otherwise it would know only after a long poll.
    Look news = () -> client.feed(verifier, refresher.feed.trouble == null ? LONG_POLL : Duration.ZERO);
    refresher.feed.keep(news, pace.feed, pace.retry, pace.longestRetry);
    try {
      refresher.ring.await(deadline);
      refresher.feed.await(deadline);
      return refresher;
    } catch (Failure | InterruptedException e) {
      refresher.close();
      throw e;
    }
  }

  /** How long ago the ring was last known to be the current one. */
  public Duration ringAge() {
    return ring.age().orElseThrow();
  }

  /** How long ago the deny list was last known to be complete, up to 26 s while all is well; empty with a key file. */
  public Optional<Duration> feedAge() {
    return feed.age();
  }

  /** How often a look at the file or a question to the store has failed. */
  public long failures() {
    return failures.get();
  }

  /** Ends the threads; the verifier keeps what it has. */
  @Override
  public void close() {
    closed = true;
    ring.stop();
    feed.stop();
  }

  /** Says what failed by a message only where it is ours: others may quote what they choke on. */
  private static String reason(Throwable e) {
    if (e instanceof ExecutionException && e.getCause() != null) return reason(e.getCause());
    return e instanceof Failure || e instanceof BadInputException ? e.getMessage() : e.getClass().getSimpleName();
  }

  static String utf8(byte[] bytes) throws Failure {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Failure("not UTF-8");
    }
  }

  /** A thread that looks again and again, and how it went. */
  private final class Watch {
    private final String name;
    private final CountDownLatch first = new CountDownLatch(1);
    private volatile String trouble = "no answer yet";
    private volatile long success;
    private volatile Thread thread;

    Watch(String name) {
      this.name = name;
    }

    void keep(Look look, Duration rest, Duration retry, Duration longestRetry) {
      thread = new Thread(() -> run(look, rest, retry, longestRetry), "sticker-token-" + name);
      thread.setDaemon(true);
      thread.start();
    }

    private void run(Look look, Duration rest, Duration retry, Duration longestRetry) {
      Duration backoff = retry;
      while (!closed) {
        Duration pause = rest;
        try {
          look.take();
          succeeded();
          backoff = retry;
        } catch (Throwable e) {
          // Also errors: a page too large for the heap at the moment must not end the thread for ever and without a word.
          if (closed) return;
          failed(e);
          // Half of it at random, so that the servers of a messenger do not all come back at once.
          pause = Duration.ofMillis((long) (backoff.toMillis() * ThreadLocalRandom.current().nextDouble(0.5, 1)));
          backoff = backoff.multipliedBy(2).compareTo(longestRetry) < 0 ? backoff.multipliedBy(2) : longestRetry;
        }
        try {
          Thread.sleep(pause.toMillis());
        } catch (InterruptedException stopped) {
          return;
        }
      }
    }

    void succeeded() {
      success = System.nanoTime();
      trouble = null;
      first.countDown();
    }

    private void failed(Throwable e) {
      failures.incrementAndGet();
      try {
        String reason = reason(e);
        boolean told = reason.equals(trouble);
        trouble = reason;
        if (!told) onFailure.accept(name + ": " + reason);
      } catch (Throwable theirs) {
        // What the listener does wrong must not end the refreshing.
      }
    }

    void await(long deadline) throws Failure, InterruptedException {
      if (!first.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) throw new Failure(name + ": " + trouble);
    }

    Optional<Duration> age() {
      return first.getCount() > 0 ? Optional.empty() : Optional.of(Duration.ofNanos(System.nanoTime() - success));
    }

    void stop() {
      if (thread != null) thread.interrupt();
    }
  }

  private final class KeyFile implements Look {
    private final Path file;
    private byte[] good;

    KeyFile(Path file) {
      this.file = file;
    }

    @Override
    public void take() throws Exception {
      Object identity = check();
      byte[] bytes;
      try (InputStream content = Files.newInputStream(file)) {
        bytes = content.readNBytes(MAX_FILE + 1);
      }
      // Java asks a path for permissions, not an open file: what was read is what was checked if it is there before and after.
      if (!Objects.equals(identity, check())) throw new Failure(file + " was replaced while it was read");
      if (bytes.length > MAX_FILE) throw new Failure(file + " is longer than " + MAX_FILE + " bytes");
      if (Arrays.equals(bytes, good)) return;
      verifier.use(Keyring.parse(utf8(bytes)));
      good = bytes;
    }

    /** What tells the file from another one at its place, once it is one that may hold keys. */
    private Object check() throws IOException, Failure {
      boolean posix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
      Class<? extends BasicFileAttributes> kind = posix ? PosixFileAttributes.class : BasicFileAttributes.class;
      BasicFileAttributes is = Files.readAttributes(file, kind);
      // A pipe, for one, would be waited for without end.
      if (!is.isRegularFile()) throw new Failure(file + " is no regular file");
      if (is instanceof PosixFileAttributes owned && !PosixFilePermissions.toString(owned.permissions()).endsWith("------"))
        throw new Failure("others than its owner may use " + file + ": chmod 600");
      return is.fileKey();
    }
  }
}
