import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { DenyList, Keyring, Verifier, type Refusal, type Verdict } from '../src/index.js';
import { ED25519_KEY, EXPIRES, HMAC_KEY, NOW, STICKER, TOKEN, USER, USER_HEX, entry, issue, page, ring } from './samples.js';

const refused = (code: Refusal): Verdict => ({ accepted: false, code });
const accepted = (expires: number): Verdict => ({ accepted: true, expires });
const verifierOf = (...keys: object[]) => new Verifier(Keyring.parse(ring(...keys)));
const alice = Buffer.from('alice');
const aliceHex = '616C696365';

test('the golden token is accepted until the second before it expires', () => {
  const verifier = verifierOf(HMAC_KEY);
  assert.deepEqual(verifier.verify(TOKEN, STICKER, USER, EXPIRES - 1), accepted(EXPIRES));
  assert.deepEqual(verifier.verify(TOKEN, STICKER, USER, EXPIRES), refused('expired'));
  assert.deepEqual(verifier.verify(TOKEN, STICKER, USER, NaN), refused('expired'));
});

test("the system's clock is the default", () => {
  const verifier = verifierOf(HMAC_KEY);
  const now = Math.floor(Date.now() / 1000);
  assert.deepEqual(verifier.verify(issue(1, 3, now - 1, STICKER, USER), STICKER, USER), refused('expired'));
  assert.deepEqual(verifier.verify(issue(1, 3, now + 3600, STICKER, USER), STICKER, USER), accepted(now + 3600));
});

test('what is no text is malformed', () => {
  for (const text of [undefined, null, 7, {}, [TOKEN], Buffer.from(TOKEN), '']) {
    assert.deepEqual(verifierOf(HMAC_KEY).verify(text, STICKER, USER, NOW), refused('malformed'));
  }
});

test('a change of any character is refused', () => {
  const verifier = verifierOf(HMAC_KEY);
  for (let at = 0; at < TOKEN.length; at++)
    for (const other of 'AB_-+/=é\0')
      if (other !== TOKEN[at]) {
        const changed = TOKEN.slice(0, at) + other + TOKEN.slice(at + 1);
        assert.equal(verifier.verify(changed, STICKER, USER, NOW).accepted, false, changed);
      }
});

test('every shorter text and every padded one is refused', () => {
  const verifier = verifierOf(HMAC_KEY);
  for (let length = 0; length < TOKEN.length; length++)
    assert.equal(verifier.verify(TOKEN.slice(0, length), STICKER, USER, NOW).accepted, false);
  for (const longer of [`${TOKEN}=`, `${TOKEN}\n`, ` ${TOKEN}`, `${TOKEN}A`])
    assert.deepEqual(verifier.verify(longer, STICKER, USER, NOW), refused('malformed'));
});

test('users of 1 to 128 bytes are accepted in both versions', () => {
  const verifier = verifierOf(HMAC_KEY, ED25519_KEY);
  for (const version of [1, 2] as const) {
    for (const length of [1, 2, 3, 127, 128]) {
      const user = new Uint8Array(length);
      assert.deepEqual(
        verifier.verify(issue(version, version + 2, EXPIRES, STICKER, user), STICKER, user, NOW),
        accepted(EXPIRES),
      );
    }
    for (const length of [0, 129]) {
      const user = new Uint8Array(length);
      assert.deepEqual(
        verifier.verify(issue(version, version + 2, EXPIRES, STICKER, user), STICKER, user, NOW),
        refused('malformed'),
      );
    }
  }
});

test('version 2 is known to who holds an Ed25519 key alone', () => {
  const token = issue(2, 4, EXPIRES, STICKER, USER);
  assert.deepEqual(verifierOf(HMAC_KEY).verify(token, STICKER, USER, NOW), refused('unsupported_version'));
  assert.deepEqual(verifierOf(ED25519_KEY).verify(token, STICKER, USER, NOW), accepted(EXPIRES));
  assert.deepEqual(verifierOf(ED25519_KEY).verify(TOKEN, STICKER, USER, NOW), refused('unknown_key'));
});

test('a public key that is no point of the curve has signed nothing', () => {
  for (const point of [`02${'00'.repeat(31)}`, 'ff'.repeat(32), '00'.repeat(32)]) {
    const verifier = verifierOf({ ...ED25519_KEY, public: point });
    assert.deepEqual(verifier.verify(issue(2, 4, EXPIRES, STICKER, USER), STICKER, USER, NOW), refused('bad_signature'));
  }
});

test('a part of a larger buffer is a user too', () => {
  const verifier = verifierOf(HMAC_KEY);
  const user = new Uint8Array(Buffer.concat([alice, USER, alice])).subarray(5, 21);
  assert.deepEqual(verifier.verify(TOKEN, STICKER, user, NOW), accepted(EXPIRES));
  verifier.denied.apply(page(1, false, entry(1, USER_HEX, EXPIRES, STICKER)));
  assert.deepEqual(verifier.verify(TOKEN, STICKER, user, NOW), refused('revoked'));
});

test('a denied user is refused until a token expires later', () => {
  const verifier = verifierOf(HMAC_KEY);
  verifier.denied.apply(page(1, false, entry(1, USER_HEX, EXPIRES, 1, STICKER)));
  assert.deepEqual(verifier.verify(TOKEN, STICKER, USER, NOW), refused('revoked'));
  assert.deepEqual(verifier.verify(issue(1, 3, EXPIRES + 1, STICKER, USER), STICKER, USER, NOW), accepted(EXPIRES + 1));
});

test('printed and serialised it shows no secret', () => {
  const verifier = verifierOf(HMAC_KEY);
  assert.equal(inspect(verifier.ring), 'Keyring [3]');
  for (const shown of [inspect(verifier, { showHidden: true, depth: null }), JSON.stringify(verifier)])
    assert.ok(!shown.includes('000102'));
});

test('the later of two entries counts in either order', () => {
  const list = new DenyList();
  list.apply(page(4, false, entry(1, aliceHex, 100, 1, 2), entry(2, aliceHex, 200, 1), entry(3, aliceHex, 50, 1, 2)));
  assert.equal(list.refuses(alice, 1, 200), true);
  assert.equal(list.refuses(alice, 1, 201), false);
  assert.equal(list.refuses(alice, 2, 100), true);
  assert.equal(list.refuses(alice, 2, 101), false);
  assert.equal(list.refuses(alice, 3, 1), false);
  assert.equal(list.refuses(Buffer.from('alic'), 1, 100), false);
});

test('an entry for every user and one for a user stand beside each other', () => {
  const list = new DenyList();
  list.apply(page(2, false, entry(1, null, 100, 1), entry(2, aliceHex, 200, 1)));
  assert.equal(list.refuses(Buffer.from('bob'), 1, 100), true);
  assert.equal(list.refuses(Buffer.from('bob'), 1, 101), false);
  assert.equal(list.refuses(alice, 1, 200), true);
});

test('an entry is forgotten when now is 300 s past it', async () => {
  const list = new DenyList();
  list.apply(page(2, false, entry(1, aliceHex, 100, 1), entry(2, null, 101, 1)));
  const sizes: number[] = [];
  for (const now of [399, 400, 401]) {
    await list.forgetExpired(now);
    sizes.push(list.size);
  }
  assert.deepEqual(sizes, [2, 1, 0]);
});

test('of a bad page nothing is taken and nothing is told', () => {
  const list = new DenyList();
  const bad = page(2, false, entry(1, aliceHex, 100, 1), entry(2, '6g', 100, 1));
  assert.throws(() => list.apply(bad), { name: 'BadInputError', code: 'bad_page', message: 'bad_page: revocations[1]' });
  assert.equal(list.size, 0);
});

test('a page that does not advance is refused before anything of it is entered', () => {
  const list = new DenyList();
  const denied = entry(5, aliceHex, 100, 1);
  for (const text of [page(5, true, denied), page(4, true, denied), page(4, false, denied)])
    assert.throws(() => list.apply(text, 5), { message: 'bad_page: the cursor does not advance' });
  assert.equal(list.size, 0);
});

test('a page has a bound of stickers in all', () => {
  const list = new DenyList();
  const stickers = Array.from({ length: 10_000 }, (_, at) => at + 1);
  const entries = Array.from({ length: 20 }, () => entry(1, aliceHex, 100, ...stickers));
  list.apply(page(1, false, ...entries));
  assert.equal(list.size, 10_000);
  const more = page(1, false, ...entries, entry(1, aliceHex, 100, 1));
  assert.throws(() => list.apply(more), { message: 'bad_page: revocations[20] exceeds 200000 stickers' });
});

test('others have their turns while a page is entered and while it is forgotten', async () => {
  const list = new DenyList();
  const stickers = Array.from({ length: 10_000 }, (_, at) => at + 1);
  const text = page(
    1,
    false,
    ...Array.from({ length: 20 }, (_, user) => entry(1, `0${user % 10}${10 + user}`, 100, ...stickers)),
  );
  let turns = 0;
  const other = () => {
    turns++;
    timer = setImmediate(other);
  };
  let timer = setImmediate(other);
  assert.deepEqual(await list.applyInTurns(text, 0), { cursor: 1, more: false, entries: 20 });
  assert.equal(list.size, 200_000);
  const entering = turns;
  await list.forgetExpired(400);
  clearImmediate(timer);
  assert.equal(list.size, 0);
  assert.ok(entering > 10 && turns - entering > 10, `${entering} and ${turns - entering} turns`);
});

test('every pair of users of one byte is kept apart', () => {
  const list = new DenyList();
  const hex = (user: number) => user.toString(16).padStart(2, '0');
  for (let user = 0; user < 256; user++) list.apply(page(1, false, entry(1, hex(user), 1_000 + user, 7)));
  for (let user = 0; user < 256; user++) {
    assert.equal(list.refuses(Uint8Array.of(user), 7, 1_000 + user), true);
    assert.equal(list.refuses(Uint8Array.of(user), 7, 1_001 + user), false);
  }
});
