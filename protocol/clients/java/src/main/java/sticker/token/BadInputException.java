package sticker.token;

/** A key file or a page of the deny feed was refused as a whole. The message tells the code and the place, not the content. */
public final class BadInputException extends Exception {
  private static final long serialVersionUID = 1;

  private final String code;

  BadInputException(String code, String place) {
    super(code + ": " + place);
    this.code = code;
  }

  /**
   * {@code bad_page}, or of a key file {@code bad_json}, {@code bad_id}, {@code bad_state}, {@code bad_key}, {@code duplicate_id}
   * or {@code two_signing}.
   */
  public String code() {
    return code;
  }
}
