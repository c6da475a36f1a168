import { DenyList, MAX_ID, MAX_USER } from './deny-list.js';
import { HMAC_SHA256, Keyring } from './keyring.js';

/** Why a token does not let a sticker through. For servers and their logs: a user is told accepted or refused and no more. */
export type Refusal =
  | 'malformed'
  | 'unsupported_version'
  | 'unknown_key'
  | 'bad_signature'
  | 'expired'
  | 'wrong_sticker'
  | 'wrong_user'
  | 'revoked';

/** What was decided about a message; `expires` is the first second, in Unix time, at which the token is no longer valid. */
export type Verdict =
  | { readonly accepted: true; readonly expires: number }
  | { readonly accepted: false; readonly code: Refusal };

/** Version, key id, expiry and sticker; the user and the signature follow. */
const FIXED = 15;
const MIN_TEXT = 64;
const MAX_TEXT = 276;

/** Decides whether a user may send a sticker (sections 1.1 to 1.3). Does no I/O: what it knows is given to it. */
export class Verifier {
  /** The ring to verify with; give it a new one at any time. */
  ring: Keyring;
  readonly denied: DenyList;

  constructor(ring: Keyring = Keyring.EMPTY, denied: DenyList = new DenyList()) {
    this.ring = ring;
    this.denied = denied;
  }

  /**
   * Checks in the order of the specification and answers with the first refusal that applies.
   *
   * @param text what the client sent as its token, of whatever type
   * @param sticker the sticker in the message
   * @param user the authenticated sender of the message, as the bytes that the store knows it by
   * @param now Unix seconds, by the system's clock unless given
   */
  verify(text: unknown, sticker: number, user: Uint8Array, now: number = Math.floor(Date.now() / 1000)): Verdict {
    const token = decode(text);
    if (!token) return refused('malformed');
    const algorithm = this.ring.algorithm(token[0]);
    // A text may be longer than version 1 allows only where it is of a known version 2.
    if (token.length > FIXED + MAX_USER + (algorithm ?? HMAC_SHA256).signature) return refused('malformed');
    if (!algorithm) return refused('unsupported_version');
    const signed = token.length - algorithm.signature;
    if (signed <= FIXED) return refused('malformed');

    const key = this.ring.find(token.readUInt16BE(1));
    if (key?.algorithm !== algorithm) return refused('unknown_key');
    if (!algorithm.signed(key.key, token.subarray(0, signed), token.subarray(signed))) return refused('bad_signature');
    const expires = token.readUInt32BE(3);
    if (!(now < expires)) return refused('expired');
    const id = token.readUInt32BE(7) * 2 ** 32 + token.readUInt32BE(11);
    if (id < 1 || id > MAX_ID) return refused('malformed');
    if (id !== sticker) return refused('wrong_sticker');
    if (!token.subarray(FIXED, signed).equals(user)) return refused('wrong_user');
    if (this.denied.refuses(user, sticker, expires)) return refused('revoked');
    return { accepted: true, expires };
  }
}

function refused(code: Refusal): Verdict {
  return { accepted: false, code };
}

/** The bytes of a canonical text that is as long as a token of any version may be. */
function decode(text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || text.length < MIN_TEXT || text.length > MAX_TEXT) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // The decoder passes over what it does not know; only a canonical text comes out of its bytes again.
  return bytes.toString('base64url') === text ? bytes : undefined;
}
