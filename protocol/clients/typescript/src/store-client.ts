import { Keyring, type Verifier } from './verifier.js';

/** Why something could not be refreshed, in words that hold nothing secret. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** The longest answer that is read, in bytes. */
export const MAX_BODY = 2 ** 24;

/** What a verifier asks the store (sections 1.5 and 1.6). */
export class StoreClient {
  readonly #address: string;
  readonly #patience: number;
  readonly #closing: AbortSignal;
  readonly #authorization: string;
  #etag: string | undefined;
  #cursor = 0;

  /** With the milliseconds for a whole answer, besides what the store was asked to wait, and what ends all questions. */
  constructor(store: string | URL, secret: string, patience: number, closing: AbortSignal) {
    const { protocol, href } = new URL(store);
    if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError("the store's address is no http or https one");
    // `fetch` would quote a secret that fits into no header.
    if (!/^[!-~]+$/.test(secret)) throw new TypeError("the client's secret is no word of ASCII characters");
    this.#address = href.replace(/\/+$/, '');
    this.#authorization = `Bearer ${secret}`;
    this.#patience = patience;
    this.#closing = closing;
  }

  /** Gives the verifier the store's ring if it changed. */
  async ring(verifier: Verifier): Promise<void> {
    verifier.denied.forgetExpired(Math.floor(Date.now() / 1000));
    const answer = await this.#ask('/v1/keyring', this.#patience, this.#etag);
    if (answer.status === 304 && this.#etag !== undefined) return;
    verifier.ring = Keyring.parse(content(answer));
    this.#etag = answer.etag;
  }

  /** Gives the verifier what is new in the feed, all pages; the store may wait some seconds for news. */
  async feed(verifier: Verifier, wait: number): Promise<void> {
    for (let more = true; more; ) {
      const answer = await this.#ask(`/v1/revocations?after=${this.#cursor}&wait=${wait}`, this.#patience + 1000 * wait);
      if (answer.status === 409 && this.#cursor > 0) {
        this.#cursor = 0;
        throw new Failure('cursor_ahead: the store was restored; begins again and keeps the entries');
      }
      const page = verifier.denied.apply(content(answer));
      more = page.more;
      if (page.cursor < this.#cursor || (more && page.cursor === this.#cursor))
        throw new Failure('bad_page: the cursor does not advance');
      this.#cursor = page.cursor;
    }
  }

  async #ask(path: string, patience: number, etag?: string): Promise<Answer> {
    const request = new AbortController();
    const end = () => request.abort();
    const timer = setTimeout(() => request.abort(new Failure('the store did not answer in time')), patience).unref();
    this.#closing.addEventListener('abort', end);
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
      this.#closing.removeEventListener('abort', end);
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
