package sticker.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @Test
  void every_kind_of_value_is_read() throws Exception {
    assertEquals(
        Map.of("a", List.of(1L, -2L, true, false, "x"), "b", Map.of(), "c", List.of()),
        Json.parse(" {\"a\" : [1, -2,true,false,\"x\"],\n\"b\":{ },\t\"c\":[ ]}\r\n"));
    assertNull(Json.parse("null"));
  }

  @Test
  void strings_are_unescaped() throws Exception {
    assertEquals(
        "\"\\/\b\f\n\r\t é€ \ud83d\ude00 é",
        Json.parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u00e9\\u20AC \\ud83d\\ude00 é\""));
  }

  @Test
  void whole_numbers_are_exact_to_the_last_one_and_all_others_are_none() throws Exception {
    assertEquals(9007199254740991L, Json.parse("9007199254740991"));
    assertEquals(-9007199254740991L, Json.parse("-9007199254740991"));
    assertEquals(0L, Json.parse("0"));
    List<String> others = List.of(
        "9007199254740992", "-9007199254740992", "99999999999999999", "18446744073709551617", "18.0", "1e3", "-0", "0.0",
        "9007199254740991.4");
    for (String other : others)
      assertEquals(Double.valueOf(other), Json.parse(other));
  }

  @ParameterizedTest
  @ValueSource(strings = {
    "", " ", "{", "[", "]", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}",
    "1 2", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "nul", "truefalse", "True", "\u0661", "'a'",
    "\"", "\"\n\"", "\"\t\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u１２３４\"", "\"a\0\"", "[1]//", "/**/1",
    "\u00a01", "\ufeff1", "\0", "1\0", "[\0]", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":1}"
  })
  void what_is_no_json_is_refused(String text) {
    assertThrows(Json.Malformed.class, () -> Json.parse(text));
  }

  @Test
  void a_refusal_tells_the_line_and_nothing_else() {
    Json.Malformed malformed = assertThrows(Json.Malformed.class, () -> Json.parse("{\n\"keys\":\n[secret]}"));
    assertEquals("line 3", malformed.getMessage());
  }

  @Test
  void nesting_has_a_bound() throws Exception {
    Json.parse("[".repeat(Json.MAX_DEPTH) + "]".repeat(Json.MAX_DEPTH));
    for (int depth : new int[] {Json.MAX_DEPTH + 1, 1_000_000})
      assertThrows(Json.Malformed.class, () -> Json.parse("[".repeat(depth) + "]".repeat(depth)));
    assertThrows(Json.Malformed.class, () -> Json.parse("{\"a\":".repeat(65) + "1" + "}".repeat(65)));
  }

  @Test
  void the_values_of_a_text_have_a_bound_and_no_more_of_them_is_built() throws Exception {
    String most = "[" + "0,".repeat(Json.MAX_VALUES - 2) + "0]";
    assertEquals(Json.MAX_VALUES - 1, ((List<?>) Json.parse(most)).size());
    // What follows the first value too many is not read: it is no JSON on another line.
    String more = "[" + "0,".repeat(Json.MAX_VALUES) + "\n]";
    assertEquals("line 1", assertThrows(Json.Malformed.class, () -> Json.parse(more)).getMessage());
  }

  @Test
  void every_text_cut_short_is_refused() throws Exception {
    String text = "{\"a\":[1,true,null,\"b\\n\\u0041\",{\"c\":-1.5e+3}]}";
    Json.parse(text);
    for (int length = 0; length < text.length(); length++) {
      String cut = text.substring(0, length);
      assertThrows(Json.Malformed.class, () -> Json.parse(cut));
    }
  }
}
