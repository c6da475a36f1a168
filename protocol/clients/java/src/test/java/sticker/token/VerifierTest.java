package sticker.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static sticker.token.Samples.ED25519_KEY;
import static sticker.token.Samples.EXPIRES;
import static sticker.token.Samples.NOW;
import static sticker.token.Samples.RING;
import static sticker.token.Samples.STICKER;
import static sticker.token.Samples.TOKEN;
import static sticker.token.Samples.USER;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class VerifierTest {
  private final DenyList denied = new DenyList();
  private final Verifier verifier = new Verifier(ring(RING), denied);

  private static Keyring ring(String json) {
    try {
      return Keyring.parse(json);
    } catch (BadInputException e) {
      throw new AssertionError(e);
    }
  }

  private static Verifier.Verdict refused(Refusal refusal) {
    return new Verifier.Refused(refusal);
  }

  @Test
  void the_golden_token_is_accepted_until_the_second_before_it_expires() {
    assertEquals(new Verifier.Accepted(EXPIRES), verifier.verify(TOKEN, STICKER, USER, EXPIRES - 1));
    assertEquals(refused(Refusal.EXPIRED), verifier.verify(TOKEN, STICKER, USER, EXPIRES));
  }

  @Test
  void the_systems_clock_is_the_default() throws Exception {
    long now = System.currentTimeMillis() / 1000;
    String past = Samples.issue(1, 3, now - 1, STICKER, USER);
    String future = Samples.issue(1, 3, now + 3600, STICKER, USER);
    assertEquals(refused(Refusal.EXPIRED), verifier.verify(past, STICKER, USER));
    assertEquals(new Verifier.Accepted(now + 3600), verifier.verify(future, STICKER, USER));
  }

  @Test
  void no_token_at_all_is_malformed() {
    assertEquals(refused(Refusal.MALFORMED), verifier.verify(null, STICKER, USER, NOW));
    assertEquals(refused(Refusal.MALFORMED), verifier.verify("", STICKER, USER, NOW));
  }

  @Test
  void a_change_of_any_character_is_refused() {
    for (int i = 0; i < TOKEN.length(); i++) {
      for (char c : "AB_-+=é\0".toCharArray()) {
        if (c == TOKEN.charAt(i)) continue;
        String changed = TOKEN.substring(0, i) + c + TOKEN.substring(i + 1);
        assertTrue(verifier.verify(changed, STICKER, USER, NOW) instanceof Verifier.Refused, () -> changed);
      }
    }
  }

  @Test
  void every_shorter_text_and_every_padded_one_is_refused() {
    for (int length = 0; length < TOKEN.length(); length++) {
      String shorter = TOKEN.substring(0, length);
      assertTrue(verifier.verify(shorter, STICKER, USER, NOW) instanceof Verifier.Refused, () -> shorter);
    }
    for (String longer : List.of(TOKEN + "=", TOKEN + "\n", " " + TOKEN, TOKEN + "A"))
      assertEquals(refused(Refusal.MALFORMED), verifier.verify(longer, STICKER, USER, NOW));
  }

  @Test
  void users_of_1_to_128_bytes_are_accepted_in_both_versions() throws Exception {
    verifier.use(ring(Samples.ring(ED25519_KEY, RING.substring(9, RING.length() - 2))));
    for (int length : new int[] {1, 2, 3, 127, 128}) {
      byte[] user = new byte[length];
      for (int version : new int[] {1, 2}) {
        String token = Samples.issue(version, version + 2, EXPIRES, STICKER, user);
        assertEquals(new Verifier.Accepted(EXPIRES), verifier.verify(token, STICKER, user, NOW));
      }
    }
    for (int length : new int[] {0, 129}) {
      for (int version : new int[] {1, 2}) {
        String token = Samples.issue(version, version + 2, EXPIRES, STICKER, new byte[length]);
        assertEquals(refused(Refusal.MALFORMED), verifier.verify(token, STICKER, new byte[length], NOW));
      }
    }
  }

  @Test
  void version_2_is_known_to_who_holds_an_ed25519_key_alone() throws Exception {
    String token = Samples.issue(2, 4, EXPIRES, STICKER, USER);
    assertEquals(refused(Refusal.UNSUPPORTED_VERSION), verifier.verify(token, STICKER, USER, NOW));
    verifier.use(ring(Samples.ring(ED25519_KEY)));
    assertEquals(new Verifier.Accepted(EXPIRES), verifier.verify(token, STICKER, USER, NOW));
    assertEquals(refused(Refusal.UNKNOWN_KEY), verifier.verify(TOKEN, STICKER, USER, NOW));
  }

  @Test
  void a_public_key_that_is_no_point_of_the_curve_has_signed_nothing() throws Exception {
    for (String point : List.of("02" + "00".repeat(31), "ff".repeat(32), "00".repeat(32))) {
      verifier.use(ring(Samples.ring("{\"id\":4,\"algorithm\":\"ed25519\",\"public\":\"" + point + "\",\"state\":\"verify\"}")));
      String token = Samples.issue(2, 4, EXPIRES, STICKER, USER);
      assertEquals(refused(Refusal.BAD_SIGNATURE), verifier.verify(token, STICKER, USER, NOW));
    }
  }

  @Test
  void a_denied_user_is_refused_until_a_token_expires_later() throws Exception {
    denied.apply(Samples.page(1, false, Samples.entry(1, Samples.USER_HEX, EXPIRES, 1, STICKER)), 0);
    assertEquals(refused(Refusal.REVOKED), verifier.verify(TOKEN, STICKER, USER, NOW));
    String later = Samples.issue(1, 3, EXPIRES + 1, STICKER, USER);
    assertEquals(new Verifier.Accepted(EXPIRES + 1), verifier.verify(later, STICKER, USER, NOW));
  }

  @Test
  void threads_verify_with_one_verifier_at_once() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Callable<Integer> work = () -> {
        int accepted = 0;
        for (int i = 0; i < 5_000; i++)
          if (verifier.verify(TOKEN, STICKER, USER, NOW) instanceof Verifier.Accepted) accepted++;
        return accepted;
      };
      List<Future<Integer>> counts = new ArrayList<>();
      for (int i = 0; i < 4; i++) counts.add(threads.submit(work));
      for (Future<Integer> count : counts) assertEquals(5_000, count.get());
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void a_printed_ring_shows_ids_and_no_secret() {
    assertEquals("Keyring[3]", ring(RING).toString());
    assertFalse(verifier.toString().contains("0001"));
  }
}
