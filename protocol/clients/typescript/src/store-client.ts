import { setTimeout as sleep } from 'node:timers/promises';
import { KEPT, type DenyList } from './deny-list.js';
import { Keyring } from './keyring.js';
import type { Verifier } from './verifier.js';

/** Why something could not be refreshed, in words that hold nothing secret. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** The longest answer that is read, in bytes. */
export const MAX_BODY = 2 ** 23;
/** Pages without a rest: a store whose feed has no end gets one after so many. */
export const PAGES_AT_ONCE = 100;
/** Entries of a page, so that reading one does not take the event loop for long. */
const PAGE = 1_000;
/** Seconds between two looks through the deny list for what may be forgotten. */
const BETWEEN_FORGETTING = 60;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** What a client of the store is given beside address and secret. */
export interface Means {
  /** Milliseconds for a whole answer, besides what the store was asked to wait. */
  readonly patience: number;
  /** Milliseconds of rest after many pages. */
  readonly rest: number;
  /** Ends all questions. */
  readonly closing: AbortSignal;
  /** Unix seconds. */
  readonly clock: () => number;
}

/** What a verifier asks the store (sections 1.5 and 1.6). */
export class StoreClient {
  readonly #address: string;
  readonly #means: Means;
  readonly #authorization: string;
  #etag: string | undefined;
  #cursor = 0;
  #forgotAt: number | undefined;

  constructor(store: string | URL, secret: string, means: Means) {
    const { protocol, hostname, href } = new URL(store);
    if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.test(hostname)))
      throw new TypeError("the store's address is neither https nor http to this host");
    // `fetch` would quote a secret that fits into no header.
    if (!/^[!-~]+$/.test(secret)) throw new TypeError("the client's secret is no word of ASCII characters");
    this.#address = href.replace(/\/+$/, '');
    this.#authorization = `Bearer ${secret}`;
    this.#means = means;
  }

  /** Gives the verifier the store's ring if it changed. */
  async ring(verifier: Verifier): Promise<void> {
    const answer = await this.#ask('/v1/keyring', this.#means.patience, this.#etag);
    if (answer.status === 304 && this.#etag !== undefined) return;
    verifier.ring = Keyring.parse(content(answer));
    this.#etag = answer.etag;
  }

  /** Gives the verifier what is new in the feed, all pages; the store may wait some seconds for news. */
  async feed(verifier: Verifier, wait: number): Promise<void> {
    const { patience, rest, closing, clock } = this.#means;
    let more = true;
    for (let pages = 1; more; pages++) {
      const question = `/v1/revocations?after=${this.#cursor}&limit=${PAGE}&wait=${wait}`;
      const answer = await this.#ask(question, patience + 1000 * wait);
      if (answer.status === 409 && this.#cursor > 0) {
        this.#cursor = 0;
        throw new Failure('cursor_ahead: the store was restored; begins again and keeps the entries');
      }
      const page = await verifier.denied.applyInTurns(content(answer), this.#cursor);
      more = page.more;
      this.#cursor = page.cursor;
      if (more && pages % PAGES_AT_ONCE === 0) await sleep(rest, undefined, { signal: closing });
    }
    await this.#forget(verifier.denied, clock());
  }

  /** Forgets late and seldom. A clock that was ahead made it forget what counts again: the store still has it. */
  async #forget(denied: DenyList, now: number): Promise<void> {
    if (this.#forgotAt !== undefined && now < this.#forgotAt - KEPT) {
      this.#cursor = 0;
      this.#forgotAt = undefined;
    } else if (this.#forgotAt === undefined || now >= this.#forgotAt + BETWEEN_FORGETTING) {
      this.#forgotAt = now;
      await denied.forgetExpired(now);
    }
  }

  async #ask(path: string, patience: number, etag?: string): Promise<Answer> {
    const { closing } = this.#means;
    const request = new AbortController();
    const end = () => request.abort();
    const timer = setTimeout(() => request.abort(new Failure('the store did not answer in time')), patience).unref();
    closing.addEventListener('abort', end);
    try {
      const headers: Record<string, string> = { authorization: this.#authorization };
      if (etag !== undefined) headers['if-none-match'] = etag;
      // Not followed, so that the secret goes nowhere else.
      const response = await fetch(this.#address + path, { headers, redirect: 'manual', signal: request.signal });
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const part of response.body ?? []) {
        length += part.length;
        if (length > MAX_BODY) throw new Failure('the answer is too long');
        parts.push(part);
      }
      return { status: response.status, etag: response.headers.get('etag') ?? undefined, body: Buffer.concat(parts) };
    } finally {
      clearTimeout(timer);
      closing.removeEventListener('abort', end);
    }
  }
}

interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: Buffer;
}

function content(answer: Answer): string {
  if (answer.status !== 200) throw new Failure(`the store answered ${answer.status}`);
  return utf8(answer.body);
}

/** The text of bytes that are UTF-8 without exception; a byte order mark stays. */
export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Failure('not UTF-8');
  }
}
