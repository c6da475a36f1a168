package sticker.token;

import java.util.Locale;

/** Why a token does not let a sticker through. For servers and their logs: a user is told accepted or refused and no more. */
public enum Refusal {
  MALFORMED,
  UNSUPPORTED_VERSION,
  UNKNOWN_KEY,
  BAD_SIGNATURE,
  EXPIRED,
  WRONG_STICKER,
  WRONG_USER,
  REVOKED;

  /** The stable code, the same in every language: the name in lower case. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }
}
