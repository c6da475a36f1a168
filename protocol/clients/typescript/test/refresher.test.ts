import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Failure, Keyring, Refresher, Verifier, type Options } from '../src/index.js';
import { MAX_BODY, PAGES_AT_ONCE, StoreClient } from '../src/store-client.js';
import { EXPIRES, HMAC_KEY, NOW, RING, SECRET, STICKER, TOKEN, USER, USER_HEX, entry, page, ring } from './samples.js';
import { TestStore, tagged, text } from './test-store.js';

const CLIENT_SECRET = 'sk_very_secret';
const OTHER_RING = ring({ ...HMAC_KEY, id: 5 });
const QUICK = { file: 20, ring: 20, feed: 20, retry: 20, longestRetry: 20, answer: 20_000 };
const PATIENCE = 30_000;

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'what the test waits for did not come');
    await sleep(5);
  }
}

function verdict(verifier: Verifier): string {
  const verdict = verifier.verify(TOKEN, STICKER, USER, NOW);
  return verdict.accepted ? 'ok' : verdict.code;
}

interface Following {
  readonly verifier: Verifier;
  readonly refresher: Refresher;
  readonly told: string[];
}

async function follow(context: TestContext, store: string, options: Options = {}): Promise<Following> {
  const told: string[] = [];
  const verifier = new Verifier();
  const onFailure = (line: string) => void told.push(line);
  const refresher = await Refresher.fromStore(verifier, store, CLIENT_SECRET, {
    timeout: PATIENCE,
    pace: QUICK,
    onFailure,
    ...options,
  });
  context.after(() => refresher.close());
  return { verifier, refresher, told };
}

test('it is ready with the ring and all pages of the feed', async (context) => {
  const store = await TestStore.open(context);
  store.feed = (request, response) => {
    const after = /after=(\d+)/.exec(request.url ?? '')?.[1];
    const body =
      after === '0'
        ? page(5, true, entry(5, '61', EXPIRES, 1))
        : after === '5'
          ? page(9, true, entry(8, USER_HEX, EXPIRES, STICKER))
          : page(12, false, entry(12, null, EXPIRES, 2));
    text(200, body)(request, response);
  };
  const { verifier, refresher } = await follow(context, store.address);
  assert.equal(verdict(verifier), 'revoked');
  assert.equal(verifier.denied.size, 3);
  assert.equal(refresher.failures, 0);
  assert.ok(refresher.ringAge >= 0 && refresher.ringAge < Infinity && (refresher.feedAge ?? -1) >= 0);
  await until(() => store.asked('/v1/revocations?after=12&limit=1000&wait=25') > 0);
  assert.deepEqual([...store.authorizations], [`Bearer ${CLIENT_SECRET}`]);
  // Waiting for news before it knows what there is would make the start slow.
  assert.equal(store.asked('/v1/revocations?after=0&limit=1000&wait=0'), 1);
  assert.ok(!inspect(refresher, { showHidden: true, depth: null }).includes(CLIENT_SECRET));
});

test('an unchanged ring is not sent again and a new one is taken', async (context) => {
  const store = await TestStore.open(context);
  store.ring = tagged('"1"', RING);
  const { verifier, refresher } = await follow(context, store.address);
  await until(() => store.unchanged > 2);
  assert.equal(verdict(verifier), 'ok');
  assert.equal(refresher.failures, 0);
  store.ring = tagged('"2"', OTHER_RING);
  await until(() => verdict(verifier) === 'unknown_key');
});

test('a bad ring leaves the last good one and is told once', async (context) => {
  const store = await TestStore.open(context);
  const { verifier, refresher, told } = await follow(context, store.address);
  store.ring = text(200, ring({ ...HMAC_KEY, secret: '0123' }));
  await until(() => refresher.failures > 3);
  assert.equal(verdict(verifier), 'ok');
  assert.deepEqual(told, ['ring: bad_key: keys[0]']);
  store.ring = text(200, OTHER_RING);
  await until(() => verdict(verifier) === 'unknown_key');
});

test('a store that is not there at the start is the reason why not', async (context) => {
  const store = await TestStore.open(context);
  const nowhere = store.address;
  await store.close();
  await assert.rejects(follow(context, nowhere, { timeout: 300 }), { name: 'Failure', message: 'ring: ECONNREFUSED' });
});

test('a secret that the store does not know is the reason why not', async (context) => {
  const store = await TestStore.open(context);
  store.ring = text(401, '{"error":{"code":"unauthorized"}}');
  await assert.rejects(follow(context, store.address, { timeout: 300 }), new Failure('ring: the store answered 401'));
});

test('without the feed it is not ready', async (context) => {
  const store = await TestStore.open(context);
  store.feed = text(503, '');
  await assert.rejects(follow(context, store.address, { timeout: 300 }), new Failure('feed: the store answered 503'));
});

test('a redirection is not followed', async (context) => {
  const store = await TestStore.open(context);
  const other = await TestStore.open(context);
  store.ring = (_, response) => response.writeHead(307, { location: `${other.address}v1/keyring` }).end();
  await assert.rejects(follow(context, store.address, { timeout: 300 }), new Failure('ring: the store answered 307'));
  assert.deepEqual(other.requests, []);
});

test('a store that goes away and comes back is followed again', async (context) => {
  const store = await TestStore.open(context);
  const { port } = store;
  const { verifier, refresher } = await follow(context, store.address);
  await store.close();
  await until(() => refresher.failures > 4);
  assert.equal(verdict(verifier), 'ok');
  const { ringAge } = refresher;
  await until(() => refresher.ringAge > ringAge);
  const again = await TestStore.open(context, port);
  again.ring = text(200, OTHER_RING);
  again.feed = text(200, page(3, false, entry(3, '61', EXPIRES, 1)));
  await until(() => verdict(verifier) === 'unknown_key' && verifier.denied.size === 1);
});

test('a store that begins an answer and never ends it is left', async (context) => {
  const store = await TestStore.open(context);
  store.ring = (_, response) => response.writeHead(200, { 'content-length': 1_000 }).write('{');
  const options = { timeout: 2_000, pace: { ...QUICK, answer: 200 } };
  await assert.rejects(follow(context, store.address, options), new Failure('ring: the store did not answer in time'));
  assert.ok(store.asked('/v1/keyring') > 1);
});

test('an answer without end is not kept', async (context) => {
  const store = await TestStore.open(context);
  store.ring = text(200, ' '.repeat(MAX_BODY) + RING);
  await assert.rejects(follow(context, store.address, { timeout: 2_000 }), new Failure('ring: the answer is too long'));
});

test('a cursor that the store never gave begins again and keeps the entries', async (context) => {
  const store = await TestStore.open(context);
  store.feed = text(200, page(7, false, entry(7, USER_HEX, EXPIRES, STICKER)));
  const { verifier, refresher, told } = await follow(context, store.address);
  store.feed = (request, response) => {
    const after = /after=(\d+)/.exec(request.url ?? '')?.[1];
    const body = after === '0' ? page(2, false, entry(2, '61', EXPIRES, 1)) : page(2, false);
    text(after === '0' || after === '2' ? 200 : 409, body)(request, response);
  };
  await until(() => store.asked('/v1/revocations?after=2&limit=1000&wait=25') > 0);
  assert.equal(verdict(verifier), 'revoked');
  assert.equal(verifier.denied.size, 2);
  assert.equal(refresher.failures, 1);
  assert.match(told.join('\n'), /^feed: cursor_ahead: .*$/);
});

test('a bad page is refused and the cursor stays', async (context) => {
  const store = await TestStore.open(context);
  store.feed = text(200, page(7, false));
  const { verifier, refresher, told } = await follow(context, store.address);
  store.feed = text(200, page(8, false, entry(8, USER_HEX, -1, STICKER)));
  await until(() => refresher.failures > 2);
  assert.deepEqual(told, ['feed: bad_page: revocations[0]']);
  assert.equal(verdict(verifier), 'ok');
  assert.ok(store.asked('/v1/revocations?after=7&limit=1000&wait=0') > 0);
  assert.ok(!store.requests.some((request) => request.includes('after=8')));
});

test('more without a later cursor is no endless loop', async (context) => {
  const store = await TestStore.open(context);
  store.feed = text(200, page(0, true));
  const failure = new Failure('feed: bad_page: the cursor does not advance');
  await assert.rejects(follow(context, store.address, { timeout: 300 }), failure);
});

test('entries that have expired are forgotten', async (context) => {
  const store = await TestStore.open(context);
  store.feed = text(200, page(1, false, entry(1, '61', 1_000, 1), entry(1, '61', 0xffff_ffff, 2)));
  const { verifier } = await follow(context, store.address);
  store.feed = text(200, page(1, false));
  await until(() => verifier.denied.size === 1);
});

test('a secret that fits into no header is refused unseen', async () => {
  for (const secret of ['', 'sk_a\nb', 'sk_é'])
    await assert.rejects(Refresher.fromStore(new Verifier(), 'http://127.0.0.1:1', secret), {
      name: 'TypeError',
      message: "the client's secret is no word of ASCII characters",
    });
});

test('plain http is for this host alone', async () => {
  const refused = { name: 'TypeError', message: "the store's address is neither https nor http to this host" };
  for (const store of [
    'http://stickers.example.com',
    'http://127.0.0.1.example.com',
    'http://127.0.0.1@example.com',
    'http://10.0.0.1',
    'http://[::2]',
    'http:stickers',
    'file:///tmp',
  ])
    await assert.rejects(Refresher.fromStore(new Verifier(), store, CLIENT_SECRET), refused, store);
  for (const store of ['https://stickers.example.com', 'http://127.9.9.9:1', 'http://[::1]/', 'HTTP://LocalHost'])
    client(store, () => 0);
});

function client(store: string, clock: () => number, rest = 20): StoreClient {
  return new StoreClient(store, CLIENT_SECRET, { patience: PATIENCE, rest, closing: new AbortController().signal, clock });
}

test('a page that does not advance enters nothing', async (context) => {
  const store = await TestStore.open(context);
  store.feed = text(200, page(5, false));
  const { verifier, refresher } = await follow(context, store.address);
  const denied = entry(5, USER_HEX, EXPIRES, STICKER);
  for (const stuck of [page(5, true, denied), page(4, false, denied)]) {
    store.feed = text(200, stuck);
    const { failures } = refresher;
    await until(() => refresher.failures > failures + 1);
    assert.equal(verifier.denied.size, 0);
  }
});

test('a feed without end gets a rest after many pages', async (context) => {
  const store = await TestStore.open(context);
  let cursor = 0;
  store.feed = (request, response) => text(200, page(++cursor, true))(request, response);
  const closing = new AbortController();
  const verifier = new Verifier();
  const means = { patience: PATIENCE, rest: 86_400_000, closing: closing.signal, clock: () => NOW };
  const feeding = new StoreClient(store.address, CLIENT_SECRET, means).feed(verifier, 0);
  await until(() => cursor === PAGES_AT_ONCE);
  // While it rests others are answered; without a rest it would have asked for more by then.
  const other = client(store.address, () => NOW);
  for (let times = 0; times < 20; times++) await other.ring(verifier);
  assert.equal(cursor, PAGES_AT_ONCE);
  closing.abort();
  await assert.rejects(feeding, { name: 'AbortError' });
});

test('it forgets at most once a minute', async (context) => {
  const store = await TestStore.open(context);
  store.feed = text(200, page(18, false, entry(18, USER_HEX, EXPIRES, STICKER)));
  const verifier = new Verifier();
  let now = 0;
  const asking = client(store.address, () => now);
  const sizes: number[] = [];
  for (const passed of [299, 358, 359]) {
    now = EXPIRES + passed;
    await asking.feed(verifier, 0);
    sizes.push(verifier.denied.size);
  }
  assert.deepEqual(sizes, [1, 1, 0]);
});

test('a clock that was ahead makes it read again what it forgot', async (context) => {
  const store = await TestStore.open(context);
  store.feed = (request, response) => {
    const denied = request.url?.includes('after=0&') ? [entry(18, USER_HEX, EXPIRES, STICKER)] : [];
    text(200, page(18, false, ...denied))(request, response);
  };
  const verifier = new Verifier(Keyring.parse(RING));
  let now = EXPIRES + 1_000;
  const asking = client(store.address, () => now);
  await asking.feed(verifier, 0);
  assert.equal(verifier.denied.size, 0);
  for (now of [EXPIRES + 700, EXPIRES + 699, NOW, NOW]) await asking.feed(verifier, 0);
  assert.equal(verdict(verifier), 'revoked');
  assert.deepEqual(
    store.requests.map((request) => Number(/after=(\d+)/.exec(request)?.[1])),
    [0, 18, 18, 0, 18],
  );
});

test('a listener that throws does not end the refreshing', async (context) => {
  const store = await TestStore.open(context);
  const onFailure = (line: string) => {
    throw new Error(line);
  };
  const { verifier, refresher } = await follow(context, store.address, { onFailure });
  store.ring = text(500, '');
  await until(() => refresher.failures > 2);
  store.ring = text(200, OTHER_RING);
  await until(() => verdict(verifier) === 'unknown_key');
});

test('closing ends a long poll', async (context) => {
  const store = await TestStore.open(context);
  let left = false;
  store.feed = (request, response) => {
    if (request.url?.endsWith('wait=0')) text(200, page(0, false))(request, response);
    else response.on('close', () => (left = true));
  };
  const { refresher, told } = await follow(context, store.address);
  await until(() => store.asked('/v1/revocations?after=0&limit=1000&wait=25') > 0);
  refresher.close();
  await until(() => left);
  assert.deepEqual(told, []);
});

async function keyFile(context: TestContext, content: string | Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sticker-token-'));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'keys.json');
  await writeFile(file, content, { mode: 0o600 });
  return file;
}

test('a key file is read again when it changes', async (context) => {
  const file = await keyFile(context, RING);
  const verifier = new Verifier();
  const told: string[] = [];
  const refresher = await Refresher.fromKeyFile(verifier, file, { pace: QUICK, onFailure: (line) => told.push(line) });
  context.after(() => refresher.close());
  assert.equal(verdict(verifier), 'ok');
  assert.equal(refresher.feedAge, undefined);
  await writeFile(file, '{"keys":[{"id":"three"}]}');
  await until(() => refresher.failures > 2);
  assert.equal(verdict(verifier), 'ok');
  await rm(file);
  await until(() => told.at(-1) === 'ring: ENOENT');
  await writeFile(file, OTHER_RING, { mode: 0o600 });
  await until(() => verdict(verifier) === 'unknown_key');
});

test('a bad key file is refused at the start with its place', async (context) => {
  const broken = await keyFile(context, `{"keys":[\n  {"id":3,"secret":"${SECRET.toString('hex')}" "state":"signing"}]}`);
  await assert.rejects(Refresher.fromKeyFile(new Verifier(), broken), new Failure('ring: bad_json: line 2'));
  await assert.rejects(Refresher.fromKeyFile(new Verifier(), `${broken}.none`), new Failure('ring: ENOENT'));
  const binary = await keyFile(context, Uint8Array.of(0x7b, 0xff, 0x7d));
  await assert.rejects(Refresher.fromKeyFile(new Verifier(), binary), new Failure('ring: not UTF-8'));
});

test('what is no regular file or too long is no key file', { skip: process.platform === 'win32' }, async (context) => {
  const file = await keyFile(context, RING.padEnd(2 ** 24));
  (await Refresher.fromKeyFile(new Verifier(), file)).close();
  await appendFile(file, ' ');
  await assert.rejects(Refresher.fromKeyFile(new Verifier(), file), new Failure(`ring: ${file} is longer than 16777216 bytes`));
  const pipe = `${file}.pipe`;
  execFileSync('mkfifo', ['-m', '600', pipe]);
  for (const other of [pipe, dirname(file)])
    await assert.rejects(Refresher.fromKeyFile(new Verifier(), other), new Failure(`ring: ${other} is no regular file`));
});

test('a key file that others may use is refused', { skip: process.platform === 'win32' }, async (context) => {
  const file = await keyFile(context, RING);
  for (const mode of [0o640, 0o604, 0o602, 0o710]) {
    await chmod(file, mode);
    const failure = new Failure(`ring: others than its owner may use ${file}: chmod 600`);
    await assert.rejects(Refresher.fromKeyFile(new Verifier(), file), failure);
  }
  await chmod(file, 0o400);
  (await Refresher.fromKeyFile(new Verifier(), file)).close();
});
