import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { BadInputError, DenyList, Keyring, Verifier } from '../src/index.js';

interface Vectors {
  tokens: {
    name: string;
    keys: object[];
    revocations: object[];
    text: string;
    now: number;
    sticker: number;
    user_hex: string;
    result: string;
    expires?: number;
  }[];
  rings: { name: string; file: string; result: string; ids?: number[] }[];
  feeds: { name: string; page: string; after?: number; result: string; cursor?: number; more?: boolean; entries?: number }[];
}

// The cases that the verifiers of all languages agree on.
const vectors = JSON.parse(readFileSync(new URL('../../../../vectors/tokens.json', import.meta.url), 'utf8')) as Vectors;

function resultOf<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof BadInputError);
    return error.code;
  }
}

test('there are vectors of each kind', (context) => {
  const { tokens, rings, feeds } = vectors;
  assert.ok(tokens.length > 0 && rings.length > 0 && feeds.length > 0);
  context.diagnostic(`vectors: ${tokens.length} tokens, ${rings.length} rings, ${feeds.length} feeds`);
});

describe('tokens', () => {
  for (const { name, keys, revocations, text, now, sticker, user_hex, result, expires } of vectors.tokens)
    test(name, () => {
      const verifier = new Verifier(Keyring.parse(JSON.stringify({ keys })));
      verifier.denied.apply(JSON.stringify({ revocations, cursor: 0, more: false }));
      const verdict = verifier.verify(text, sticker, Buffer.from(user_hex, 'hex'), now);
      assert.deepEqual(verdict, result === 'ok' ? { accepted: true, expires } : { accepted: false, code: result });
    });
});

describe('rings', () => {
  for (const { name, file, result, ids } of vectors.rings)
    test(name, () =>
      assert.deepEqual(
        resultOf(() => Keyring.parse(file).ids),
        result === 'ok' ? ids : result,
      ),
    );
});

describe('feeds', () => {
  for (const { name, page, after, result, cursor, more, entries } of vectors.feeds)
    test(name, () =>
      assert.deepEqual(
        resultOf(() => new DenyList().apply(page, after)),
        result === 'ok' ? { cursor, more, entries } : result,
      ),
    );
});
