import {
  createHmac,
  createPublicKey,
  createSecretKey,
  timingSafeEqual,
  verify as verifySignature,
  type KeyObject,
} from 'node:crypto';
import { inspect } from 'node:util';
import { BadInputError, bytesOf, isWhole, parseOr, type Fault } from './input.js';

/** An algorithm and the one version of tokens that it belongs to (section 1.1). */
export interface Algorithm {
  readonly version: number;
  /** Bytes of a signature. */
  readonly signature: number;
  /** What is signed begins with it, so that a signature counts in no other version and no other protocol. */
  readonly domain: Buffer;
  signed(key: KeyObject, bytes: Buffer, signature: Buffer): boolean;
}

export const HMAC_SHA256: Algorithm = {
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

export interface Key {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

/** As many as there are ids; keys that are left out count. */
const MAX_KEYS = 65_536;
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
    if (!Array.isArray(entries) || entries.length > MAX_KEYS)
      throw new BadInputError('bad_json', 'no object with an array "keys"');
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
