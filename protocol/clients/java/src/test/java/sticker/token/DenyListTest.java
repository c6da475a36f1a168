package sticker.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static sticker.token.Samples.entry;
import static sticker.token.Samples.page;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class DenyListTest {
  private static final byte[] ALICE = "alice".getBytes(StandardCharsets.US_ASCII);
  private static final String ALICE_HEX = "616C696365";
  private final DenyList list = new DenyList();

  @Test
  void a_page_says_where_to_go_on() throws Exception {
    String page = page(18, true, entry(3, ALICE_HEX, 100, 11, 12), entry(4, null, 90, 5));
    assertEquals(new DenyList.Page(18, true, 2), list.apply(page, 0));
    assertEquals(3, list.size());
  }

  @Test
  void the_later_of_two_entries_counts_in_either_order() throws Exception {
    list.apply(page(4, false, entry(1, ALICE_HEX, 100, 1, 2), entry(2, ALICE_HEX, 200, 1), entry(3, ALICE_HEX, 50, 1, 2)), 0);
    assertTrue(list.refuses(ALICE, 1, 200));
    assertFalse(list.refuses(ALICE, 1, 201));
    assertTrue(list.refuses(ALICE, 2, 100));
    assertFalse(list.refuses(ALICE, 2, 101));
    assertFalse(list.refuses(ALICE, 3, 1));
    assertFalse(list.refuses("alic".getBytes(StandardCharsets.US_ASCII), 1, 100));
  }

  @Test
  void an_entry_for_every_user_and_one_for_a_user_stand_beside_each_other() throws Exception {
    list.apply(page(2, false, entry(1, null, 100, 1), entry(2, ALICE_HEX, 200, 1)), 0);
    assertTrue(list.refuses("bob".getBytes(StandardCharsets.US_ASCII), 1, 100));
    assertFalse(list.refuses("bob".getBytes(StandardCharsets.US_ASCII), 1, 101));
    assertTrue(list.refuses(ALICE, 1, 200));
  }

  @Test
  void an_entry_is_forgotten_when_now_is_300_seconds_past_it() throws Exception {
    list.apply(page(2, false, entry(1, ALICE_HEX, 100, 1), entry(2, null, 101, 1)), 0);
    list.forgetExpired(399);
    assertEquals(2, list.size());
    list.forgetExpired(400);
    assertEquals(1, list.size());
    list.forgetExpired(401);
    assertEquals(0, list.size());
  }

  @Test
  void of_a_bad_page_nothing_is_taken_and_nothing_is_told() {
    BadInputException e = assertThrows(BadInputException.class,
        () -> list.apply(page(2, false, entry(1, ALICE_HEX, 100, 1), entry(2, "6g", 100, 1)), 0));
    assertEquals("bad_page: revocations[1]", e.getMessage());
    assertEquals("bad_page", e.code());
    assertEquals(0, list.size());
  }

  @Test
  void a_page_that_does_not_advance_is_refused_before_anything_of_it_is_entered() {
    String entry = entry(5, ALICE_HEX, 100, 1);
    for (String page : new String[] {page(5, true, entry), page(4, true, entry), page(4, false, entry)})
      assertEquals("bad_page: the cursor does not advance",
          assertThrows(BadInputException.class, () -> list.apply(page, 5)).getMessage());
    assertEquals(0, list.size());
  }

  @Test
  void a_page_has_a_bound_of_stickers_in_all() throws Exception {
    long[] stickers = LongStream.rangeClosed(1, 10_000).toArray();
    String[] entries = new String[20];
    Arrays.fill(entries, entry(1, ALICE_HEX, 100, stickers));
    list.apply(page(1, false, entries), 0);
    assertEquals(10_000, list.size());
    String[] more = Arrays.copyOf(entries, 21);
    more[20] = entry(1, ALICE_HEX, 100, 1);
    assertEquals("bad_page: revocations[20] exceeds 200000 stickers",
        assertThrows(BadInputException.class, () -> list.apply(page(1, false, more), 0)).getMessage());
  }

  @Test
  void many_users_are_kept_apart() throws Exception {
    for (int user = 0; user < 2_000; user++)
      list.apply(page(1, false, entry(1, String.format("%04x", user), 1_000 + user, 7, 1L << 52)), 0);
    assertEquals(4_000, list.size());
    for (int user = 0; user < 2_000; user++) {
      byte[] id = {(byte) (user >> 8), (byte) user};
      assertTrue(list.refuses(id, 1L << 52, 1_000 + user));
      assertFalse(list.refuses(id, 7, 1_001 + user));
    }
  }
}
