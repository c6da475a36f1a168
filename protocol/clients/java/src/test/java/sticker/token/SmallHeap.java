package sticker.token;

import java.net.URI;
import java.time.Duration;

/** Follows a store in a heap that a test chose, and ends once something is denied. */
final class SmallHeap {
  private SmallHeap() {}

  public static void main(String[] arguments) throws Exception {
    Duration soon = Duration.ofMillis(20);
    Refresher.Pace pace = new Refresher.Pace(soon, soon, soon, soon, soon, Duration.ofSeconds(20));
    Verifier verifier = new Verifier(Keyring.EMPTY, new DenyList());
    Refresher.fromStore(verifier, URI.create(arguments[0]), "sk_test", Duration.ofSeconds(60), System.out::println, pace).close();
    System.out.println(verifier.denied().size() + " denied");
  }
}
