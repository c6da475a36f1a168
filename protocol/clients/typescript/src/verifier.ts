import {
  createHmac,
  createPublicKey,
  createSecretKey,
  timingSafeEqual,
  verify as verifySignature,
  type KeyObject,
} from 'node:crypto';
import { inspect } from 'node:util';
import { NotJson, parseJson, type Json } from './json.js';

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

/** Why a key file, or a page of the deny feed, is refused as a whole. */
export type Fault = 'bad_json' | 'bad_id' | 'bad_state' | 'bad_key' | 'duplicate_id' | 'two_signing' | 'bad_page';

/** A key file or a page of the deny feed was refused. The message tells the code and the place, nothing of the content. */
export class BadInputError extends Error {
  override readonly name = 'BadInputError';

  constructor(
    readonly code: Fault,
    place: string,
  ) {
    super(`${code}: ${place}`);
  }
}

/** An algorithm and the one version of tokens that it belongs to (section 1.1). */
interface Algorithm {
  readonly version: number;
  /** Bytes of a signature. */
  readonly signature: number;
  /** What is signed begins with it, so that a signature counts in no other version and no other protocol. */
  readonly domain: Buffer;
  signed(key: KeyObject, bytes: Buffer, signature: Buffer): boolean;
}

const HMAC_SHA256: Algorithm = {
  version: 1,
  signature: 32,
  domain: Buffer.from('sticker-token-v1'),
  signed(key, bytes, signature) {
    return timingSafeEqual(createHmac('sha256', key).update(this.domain).update(bytes).digest(), signature);
  },
};

const ED25519: Algorithm = {
  version: 2,
  signature: 64,
  domain: Buffer.from('sticker-token-v2'),
  signed(key, bytes, signature) {
    return verifySignature(null, Buffer.concat([this.domain, bytes]), key, signature);
  },
};

interface Key {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

const STATES: readonly unknown[] = ['published', 'signing', 'verify'];
/** What X.509 writes before the 32 bytes of an Ed25519 key (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** The keys that tokens are verified with (section 1.4). Immutable; printed, it shows the keys' ids and nothing secret. */
export class Keyring {
  /** A ring without a key, which knows no token. */
  static readonly EMPTY = new Keyring(new Map());

  readonly #keys: ReadonlyMap<number, Key>;
  readonly #hasEd25519: boolean;

  private constructor(keys: ReadonlyMap<number, Key>) {
    this.#keys = keys;
    this.#hasEd25519 = [...keys.values()].some((key) => key.algorithm === ED25519);
  }

  /** Reads the text of a key file, leaving out keys of an unknown algorithm. Throws a {@link BadInputError}. */
  static parse(text: string): Keyring {
    const file = parseOr('bad_json', text);
    const entries = file instanceof Map ? file.get('keys') : undefined;
    if (!Array.isArray(entries)) throw new BadInputError('bad_json', 'no object with an array "keys"');
    const keys = new Map<number, Key>();
    const signing = new Set<Algorithm>();
    entries.forEach((entry, index) => {
      const refuse = (code: Fault) => new BadInputError(code, `keys[${index}]`);
      if (!(entry instanceof Map)) throw refuse('bad_json');
      const word = entry.has('algorithm') ? entry.get('algorithm') : 'hmac-sha256';
      const algorithm = word === 'hmac-sha256' ? HMAC_SHA256 : word === 'ed25519' ? ED25519 : undefined;
      if (!algorithm) return;
      const [id, state] = [entry.get('id'), entry.get('state')];
      if (!isWhole(id, 0, 65_535)) throw refuse('bad_id');
      if (!STATES.includes(state)) throw refuse('bad_state');
      if (state === 'signing' && signing.has(algorithm)) throw refuse('two_signing');
      if (state === 'signing') signing.add(algorithm);
      if (keys.has(id)) throw refuse('duplicate_id');
      const bytes = bytesOf(entry.get(algorithm === ED25519 ? 'public' : 'secret'));
      // A seed is none of a verifier's business, but a wrong one shows that the file is not what its writer meant.
      if (!bytes || (entry.has('secret') && !bytesOf(entry.get('secret')))) throw refuse('bad_key');
      const key =
        algorithm === ED25519
          ? createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' })
          : createSecretKey(bytes);
      keys.set(id, { algorithm, key });
    });
    return new Keyring(keys);
  }

  /** The ids of the keys, ascending. */
  get ids(): number[] {
    return [...this.#keys.keys()].sort((a, b) => a - b);
  }

  /** @internal The algorithm of a token's version, unless this ring does not know it. */
  algorithm(version: number | undefined): Algorithm | undefined {
    if (version === HMAC_SHA256.version) return HMAC_SHA256;
    return version === ED25519.version && this.#hasEd25519 ? ED25519 : undefined;
  }

  /** @internal */
  find(id: number): Key | undefined {
    return this.#keys.get(id);
  }

  [inspect.custom](): string {
    return `Keyring [${this.ids.join(', ')}]`;
  }
}

/** What a page of the feed said beside its entries: what to ask after next time, and whether there is more at once. */
export interface Page {
  readonly cursor: number;
  readonly more: boolean;
  readonly entries: number;
}

const MAX_ID = Number.MAX_SAFE_INTEGER;
const MAX_EXPIRY = 0xffff_ffff;
/** Entries of a page, and stickers of an entry. */
const MAX_LIST = 10_000;
const MAX_USER = 128;
/** No user has this id. */
const EVERY_USER = Buffer.alloc(0);

/** Rights that were taken back while tokens for them may live (section 1.6). */
export class DenyList {
  // Keyed by strings of one byte a character, which V8 hashes with a key that nobody outside the process knows.
  readonly #untils = new Map<string, number>();

  /** Takes all entries of a page of the feed, or throws a {@link BadInputError} and takes none. */
  apply(text: string): Page {
    const page = parseOr('bad_page', text);
    const [revocations, cursor, more] =
      page instanceof Map ? ['revocations', 'cursor', 'more'].map((name) => page.get(name)) : [];
    if (!Array.isArray(revocations) || revocations.length > MAX_LIST || !isWhole(cursor, 0, MAX_ID) || typeof more !== 'boolean')
      throw new BadInputError('bad_page', 'no object with "revocations", "cursor" and "more"');
    const entries = revocations.map((revocation, index) => {
      const entry = readRevocation(revocation);
      if (!entry) throw new BadInputError('bad_page', `revocations[${index}]`);
      return entry;
    });
    for (const { user, stickers, until } of entries)
      for (const sticker of stickers) this.#untils.set(subject(user, sticker), Math.max(until, this.#until(user, sticker)));
    return { cursor, more, entries: entries.length };
  }

  /** Whether a token with this expiry was issued before the user's right to the sticker was taken back. */
  refuses(user: Uint8Array, sticker: number, expires: number): boolean {
    return this.size > 0 && (expires <= this.#until(user, sticker) || expires <= this.#until(EVERY_USER, sticker));
  }

  #until(user: Uint8Array, sticker: number): number {
    return this.#untils.get(subject(user, sticker)) ?? -1;
  }

  /** Drops what denies only tokens that have expired at `now`, in Unix seconds. */
  forgetExpired(now: number): void {
    for (const [subject, until] of this.#untils) if (now >= until) this.#untils.delete(subject);
  }

  /** How many pairs of a user, or every user, and a sticker are denied. */
  get size(): number {
    return this.#untils.size;
  }
}

function subject(user: Uint8Array, sticker: number): string {
  return `${sticker}:${Buffer.from(user.buffer, user.byteOffset, user.byteLength).toString('latin1')}`;
}

function readRevocation(entry: Json): { user: Buffer; stickers: number[]; until: number } | undefined {
  if (!(entry instanceof Map)) return undefined;
  const [cursor, hex, stickers, until] = ['cursor', 'user_hex', 'sticker_ids', 'refuse_until'].map((name) => entry.get(name));
  const user = hex === null ? EVERY_USER : bytesOf(hex, 1, MAX_USER);
  if (!isWhole(cursor, 0, MAX_ID) || !user || !isWhole(until, 0, MAX_EXPIRY)) return undefined;
  if (!Array.isArray(stickers) || stickers.length > MAX_LIST || !stickers.every((id) => isWhole(id, 1, MAX_ID))) return undefined;
  return { user, stickers, until };
}

function parseOr(code: Fault, text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw error instanceof NotJson ? new BadInputError(code, error.message) : error;
  }
}

function isWhole(value: Json | undefined, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

function bytesOf(hex: Json | undefined, least = 32, most = least): Buffer | undefined {
  if (typeof hex !== 'string' || hex.length % 2 > 0 || !/^[0-9a-f]+$/i.test(hex)) return undefined;
  return hex.length >= 2 * least && hex.length <= 2 * most ? Buffer.from(hex, 'hex') : undefined;
}

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
