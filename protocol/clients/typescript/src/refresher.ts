import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BadInputError } from './input.js';
import { Keyring } from './keyring.js';
import { Failure, StoreClient, utf8 } from './store-client.js';
import type { Verifier } from './verifier.js';

/** Milliseconds. */
export interface Pace {
  /** Between looks at the key file. */
  readonly file: number;
  /** Between questions for the store's ring. */
  readonly ring: number;
  /** Between questions for news at least, so that a store that does not wait is not asked without end. */
  readonly feed: number;
  /** Until the first retry; doubled after each. */
  readonly retry: number;
  readonly longestRetry: number;
  /** For a whole answer of the store, besides what it was asked to wait. */
  readonly answer: number;
}

export interface Options {
  /** Is told of failures, in a line each, once until they change. Writes to the standard error unless given. */
  readonly onFailure?: (line: string) => void;
  /** Milliseconds to wait for the first ring and the feed up to now; 10 s unless given. */
  readonly timeout?: number;
  readonly pace?: Partial<Pace>;
}

const PACE: Pace = { file: 5_000, ring: 30_000, feed: 1_000, retry: 1_000, longestRetry: 30_000, answer: 10_000 };
const LONG_POLL = 25;
/** The longest key file, in bytes: twice what the largest ring takes. */
const MAX_FILE = 2 ** 24;

/**
 * Keeps a verifier's ring and deny list fresh in the background: from the store, or the ring alone from a key file. Where that
 * fails the verifier goes on with what it has, the ages grow, and the failure is counted and told. Close it, or it keeps the
 * process alive.
 */
export class Refresher {
  readonly #onFailure: (line: string) => void;
  readonly #pace: Pace;
  readonly #closing = new AbortController();
  readonly #ring = new Watch('ring');
  readonly #feed = new Watch('feed');
  #failures = 0;

  private constructor(options: Options) {
    this.#onFailure = options.onFailure ?? ((line) => console.error(`sticker-token: ${line}`));
    this.#pace = { ...PACE, ...options.pace };
  }

  /**
   * Reads a key file, which only its owner may use, and again within seconds whenever it changes. Rejects with a {@link Failure}
   * if it cannot be used now.
   */
  static async fromKeyFile(verifier: Verifier, file: string, options: Options = {}): Promise<Refresher> {
    const refresher = new Refresher(options);
    const look = readWhenChanged(verifier, file);
    try {
      await look();
    } catch (error) {
      throw new Failure(`ring: ${reason(error)}`);
    }
    refresher.#ring.succeeded();
    const { file: pause } = refresher.#pace;
    void refresher.#keep(refresher.#ring, look, pause, pause, pause);
    return refresher;
  }

  /**
   * Follows the store's ring and deny feed, and resolves once both are there; rejects with a {@link Failure} that says why not if
   * they are not there in time, and with a `TypeError` if the address or the secret can be none.
   *
   * @param store its address, to which `/v1/...` is appended: https, or http to a loopback host
   * @param secret of an API client with the scope `verify` or `verify_public`
   */
  static async fromStore(verifier: Verifier, store: string | URL, secret: string, options: Options = {}): Promise<Refresher> {
    const refresher = new Refresher(options);
    const { ring, feed, retry, longestRetry, answer } = refresher.#pace;
    const client = new StoreClient(store, secret, {
      patience: answer,
      rest: feed,
      closing: refresher.#closing.signal,
      clock: () => Math.floor(Date.now() / 1000),
    });
    void refresher.#keep(refresher.#ring, () => client.ring(verifier), ring, retry, longestRetry);
    // After a failure, and at first, it asks what there is now: otherwise it would know only after a long poll.
    const news = () => client.feed(verifier, refresher.#feed.trouble === undefined ? LONG_POLL : 0);
    void refresher.#keep(refresher.#feed, news, feed, retry, longestRetry);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), options.timeout ?? 10_000);
    try {
      for (const watch of [refresher.#ring, refresher.#feed]) await watch.ready(late.signal);
    } catch (error) {
      refresher.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return refresher;
  }

  /** Seconds since the ring was last known to be the current one. */
  get ringAge(): number {
    return this.#ring.age ?? Infinity;
  }

  /** Seconds since the deny list was last known to be complete, up to 26 while all is well; undefined with a key file. */
  get feedAge(): number | undefined {
    return this.#feed.age;
  }

  /** How often a look at the file or a question to the store has failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Ends the refreshing. The verifier keeps what it has. */
  close(): void {
    this.#closing.abort();
  }

  async #keep(watch: Watch, look: () => Promise<void>, rest: number, retry: number, longestRetry: number): Promise<void> {
    const { signal } = this.#closing;
    let backoff = retry;
    while (!signal.aborted) {
      let pause = rest;
      try {
        await look();
        watch.succeeded();
        backoff = retry;
      } catch (error) {
        if (signal.aborted) return;
        this.#failed(watch, reason(error));
        // Half of it at random, so that the servers of a messenger do not all come back at once.
        pause = backoff * (0.5 + Math.random() / 2);
        backoff = Math.min(2 * backoff, longestRetry);
      }
      await sleep(pause, undefined, { ref: false, signal }).catch(() => {});
    }
  }

  #failed(watch: Watch, trouble: string): void {
    this.#failures++;
    const told = watch.trouble === trouble;
    watch.trouble = trouble;
    try {
      if (!told) this.#onFailure(`${watch.name}: ${trouble}`);
    } catch {
      // What the listener does wrong must not end the refreshing.
    }
  }
}

/** How the refreshing of one thing goes. */
class Watch {
  trouble: string | undefined = 'no answer yet';
  #success: number | undefined;
  #first!: () => void;
  readonly #ready = new Promise<void>((resolve) => (this.#first = resolve));

  constructor(readonly name: string) {}

  succeeded(): void {
    this.#success = performance.now();
    this.trouble = undefined;
    this.#first();
  }

  get age(): number | undefined {
    return this.#success === undefined ? undefined : (performance.now() - this.#success) / 1000;
  }

  ready(late: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Failure(`${this.name}: ${this.trouble}`));
      if (this.#success === undefined && late.aborted) fail();
      late.addEventListener('abort', fail, { once: true });
      void this.#ready.then(resolve);
    });
  }
}

/** Gives the verifier the ring of a file when its bytes are others than those last taken. */
function readWhenChanged(verifier: Verifier, path: string): () => Promise<void> {
  let taken: Buffer | undefined;
  return async () => {
    // Without waiting, which opening a pipe would do until somebody writes into it.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new Failure(`${path} is no regular file`);
      if (process.platform !== 'win32' && stat.mode & 0o077)
        throw new Failure(`others than its owner may use ${path}: chmod 600`);
      const bytes = await readBounded(file);
      if (!bytes) throw new Failure(`${path} is longer than ${MAX_FILE} bytes`);
      if (taken?.equals(bytes)) return;
      verifier.ring = Keyring.parse(utf8(bytes));
      taken = bytes;
    } finally {
      await file.close();
    }
  };
}

/** All bytes of a file, unless it has more than a key file may, also while it grows. */
async function readBounded(file: FileHandle): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of file.createReadStream({ autoClose: false, start: 0, end: MAX_FILE }) as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
  }
  return length > MAX_FILE ? undefined : Buffer.concat(parts);
}

/** Says what failed by a message only where it is ours: others may quote what they choke on. */
function reason(error: unknown): string {
  if (error instanceof Failure || error instanceof BadInputError) return error.message;
  if (!(error instanceof Error)) return typeof error;
  const { code, cause } = error as Error & { code?: unknown };
  return cause instanceof Error ? reason(cause) : typeof code === 'string' ? code : error.name;
}
