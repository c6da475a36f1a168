package sticker.token;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A strict reader of JSON (RFC 8259), because the JDK has none. Objects become {@link Map}s (a name that comes
 * twice is refused, as in RFC 7493), arrays {@link List}s, whole numbers of at most 2^53 - 1 {@link Long}s and all other numbers
 * {@link Double}s, also those like {@code 18.0}: who wants a whole number asks for a {@code Long}.
 */
final class Json {
  /** How deep arrays and objects may lie in each other. */
  static final int MAX_DEPTH = 64;

  /** Values in a text, those in arrays and objects too: more than the largest ring and the largest page have. */
  static final int MAX_VALUES = 1 << 19;

  /** The largest whole number that every reader of JSON reads exactly. */
  static final long MAX_WHOLE = (1L << 53) - 1;

  private static final Pattern NUMBER = Pattern.compile("(-?(?:0|[1-9][0-9]*))(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?");

  /** Not JSON. Tells the line and nothing of the text. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;

    private Malformed(String text, int at) {
      super("line " + (1 + text.chars().limit(at).filter(c -> c == '\n').count()));
    }
  }

  /** The text and a character behind it that no value begins with or contains. */
  private final String text;

  private int at;
  private int values;

  private Json(String text) {
    this.text = text + '\0';
  }

  static Object parse(String text) throws Malformed {
    Json reader = new Json(text);
    Object value = reader.value(MAX_DEPTH);
    reader.require(reader.at == text.length());
    return value;
  }

  private void require(boolean wellFormed) throws Malformed {
    if (!wellFormed) throw new Malformed(text, at);
  }

  private boolean take(String word) {
    boolean taken = text.startsWith(word, at);
    if (taken) at += word.length();
    return taken;
  }

  private void skipSpace() {
    while (" \t\n\r".indexOf(text.charAt(at)) >= 0) at++;
  }

  /** A value and the white space around it. */
  private Object value(int depth) throws Malformed {
    skipSpace();
    require(++values <= MAX_VALUES);
    char c = text.charAt(at);
    Object value = c == '{' ? object(depth) : c == '[' ? array(depth) : c == '"' ? string() : c < 'a' ? number() : word();
    skipSpace();
    return value;
  }

  private Map<String, Object> object(int depth) throws Malformed {
    Map<String, Object> members = new LinkedHashMap<>();
    for (boolean more = opens(depth, "}"); more; more = goesOn("}")) {
      skipSpace();
      String name = string();
      skipSpace();
      require(!members.containsKey(name) && take(":"));
      members.put(name, value(depth - 1));
    }
    return members;
  }

  private List<Object> array(int depth) throws Malformed {
    List<Object> items = new ArrayList<>();
    for (boolean more = opens(depth, "]"); more; more = goesOn("]")) items.add(value(depth - 1));
    return items;
  }

  /** Steps over the opening bracket; whether something is inside. */
  private boolean opens(int depth, String close) throws Malformed {
    require(depth > 0);
    at++;
    skipSpace();
    return !take(close);
  }

  /** After a member or an item: whether another one follows. */
  private boolean goesOn(String close) throws Malformed {
    boolean more = take(",");
    require(more || take(close));
    return more;
  }

  private String string() throws Malformed {
    require(take("\""));
    StringBuilder string = new StringBuilder();
    while (!take("\"")) {
      char c = text.charAt(at);
      require(c >= ' ');
      at++;
      string.append(c == '\\' ? escape() : c);
    }
    return string.toString();
  }

  private char escape() throws Malformed {
    int simple = "\"\\/bfnrt".indexOf(text.charAt(at));
    if (simple < 0) require(take("u"));
    else at++;
    if (simple >= 0) return "\"\\/\b\f\n\r\t".charAt(simple);
    int unit = 0;
    for (int end = at + 4; at < end; at++) {
      require("0123456789abcdefABCDEF".indexOf(text.charAt(at)) >= 0);
      unit = unit << 4 | Character.digit(text.charAt(at), 16);
    }
    return (char) unit;
  }

  private Number number() throws Malformed {
    Matcher number = NUMBER.matcher(text).region(at, text.length());
    require(number.lookingAt());
    at = number.end();
    // Sixteen digits fit into a long; minus zero is no whole number, as most readers have it.
    boolean whole = number.end() == number.end(1) && number.group().length() <= 17 && !number.group().equals("-0");
    long value = whole ? Long.parseLong(number.group()) : 0;
    if (whole && Math.abs(value) <= MAX_WHOLE) return value;
    return Double.valueOf(number.group());
  }

  private Boolean word() throws Malformed {
    if (take("true")) return true;
    if (take("false")) return false;
    require(take("null"));
    return null;
  }
}
