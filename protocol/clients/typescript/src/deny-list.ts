import { setImmediate as turn } from 'node:timers/promises';
import { BadInputError, bytesOf, isWhole, parseOr } from './input.js';
import type { Json } from './json.js';

/** What a page of the feed said beside its entries: what to ask after next time, and whether there is more at once. */
export interface Page {
  readonly cursor: number;
  readonly more: boolean;
  readonly entries: number;
}

export const MAX_ID = Number.MAX_SAFE_INTEGER;
const MAX_EXPIRY = 0xffff_ffff;
/** Entries of a page, and stickers of an entry. */
const MAX_LIST = 10_000;
/** Stickers of all entries of a page. */
const MAX_STICKERS = 200_000;
/** Seconds that an entry is kept past its end, for clocks that are set. */
export const KEPT = 300;
/** Stickers that are entered or looked at before others get a turn on the event loop. */
const AT_ONCE = 5_000;
export const MAX_USER = 128;
/** No user has this id. */
const EVERY_USER = Buffer.alloc(0);

/** Rights that were taken back while tokens for them may live (section 1.6). */
export class DenyList {
  // Keyed by strings of one byte a character, which V8 hashes with a key that nobody outside the process knows.
  readonly #untils = new Map<string, number>();

  /**
   * Takes all entries of a page of the feed, or throws a {@link BadInputError} and takes none.
   *
   * @param after the cursor that was asked after
   */
  apply(text: string, after = 0): Page {
    const { page, entries } = readPage(text, after);
    for (const _ of this.#enter(entries));
    return page;
  }

  /** The same, but lets others have their turns on the event loop while it enters. */
  async applyInTurns(text: string, after = 0): Promise<Page> {
    const { page, entries } = readPage(text, after);
    for (const _ of this.#enter(entries)) await turn();
    return page;
  }

  *#enter(entries: Entry[]): Generator<void> {
    let entered = 0;
    for (const { user, stickers, until } of entries)
      for (const sticker of stickers) {
        this.#untils.set(subject(user, sticker), Math.max(until, this.#until(user, sticker)));
        if (++entered % AT_ONCE === 0) yield;
      }
  }

  /** Whether a token with this expiry was issued before the user's right to the sticker was taken back. */
  refuses(user: Uint8Array, sticker: number, expires: number): boolean {
    return this.size > 0 && (expires <= this.#until(user, sticker) || expires <= this.#until(EVERY_USER, sticker));
  }

  #until(user: Uint8Array, sticker: number): number {
    return this.#untils.get(subject(user, sticker)) ?? -1;
  }

  /** Drops what has denied only expired tokens for 300 s at `now`, in Unix seconds; others have their turns meanwhile. */
  async forgetExpired(now: number): Promise<void> {
    let seen = 0;
    for (const [subject, until] of this.#untils) {
      if (now - KEPT >= until) this.#untils.delete(subject);
      if (++seen % AT_ONCE === 0) await turn();
    }
  }

  /** How many pairs of a user, or every user, and a sticker are denied. */
  get size(): number {
    return this.#untils.size;
  }
}

function subject(user: Uint8Array, sticker: number): string {
  return `${sticker}:${Buffer.from(user.buffer, user.byteOffset, user.byteLength).toString('latin1')}`;
}

interface Entry {
  readonly user: Buffer;
  readonly stickers: number[];
  readonly until: number;
}

function readPage(text: string, after: number): { page: Page; entries: Entry[] } {
  const page = parseOr('bad_page', text);
  const [revocations, cursor, more] = page instanceof Map ? ['revocations', 'cursor', 'more'].map((name) => page.get(name)) : [];
  if (!Array.isArray(revocations) || revocations.length > MAX_LIST || !isWhole(cursor, 0, MAX_ID) || typeof more !== 'boolean')
    throw new BadInputError('bad_page', 'no object with "revocations", "cursor" and "more"');
  if (cursor < after || (more && cursor === after)) throw new BadInputError('bad_page', 'the cursor does not advance');
  let stickers = 0;
  const entries = revocations.map((revocation, index) => {
    const entry = readRevocation(revocation);
    if (!entry) throw new BadInputError('bad_page', `revocations[${index}]`);
    stickers += entry.stickers.length;
    if (stickers > MAX_STICKERS) throw new BadInputError('bad_page', `revocations[${index}] exceeds ${MAX_STICKERS} stickers`);
    return entry;
  });
  return { page: { cursor, more, entries: entries.length }, entries };
}

function readRevocation(entry: Json): Entry | undefined {
  if (!(entry instanceof Map)) return undefined;
  const [cursor, hex, stickers, until] = ['cursor', 'user_hex', 'sticker_ids', 'refuse_until'].map((name) => entry.get(name));
  const user = hex === null ? EVERY_USER : bytesOf(hex, 1, MAX_USER);
  if (!isWhole(cursor, 0, MAX_ID) || !user || !isWhole(until, 0, MAX_EXPIRY)) return undefined;
  if (!Array.isArray(stickers) || stickers.length > MAX_LIST || !stickers.every((id) => isWhole(id, 1, MAX_ID))) return undefined;
  return { user, stickers, until };
}
