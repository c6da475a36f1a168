import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RING, STICKER, entry, issue, page } from './samples.js';
import { TestStore, text } from './test-store.js';

const PROGRAM = fileURLToPath(new URL('../examples/chat-server.js', import.meta.url));
const EXPIRES = Math.floor(Date.now() / 1000) + 3600;
const message = (user: string, of: string) =>
  JSON.stringify({ user, sticker_id: STICKER, token: issue(1, 3, EXPIRES, STICKER, Buffer.from(of)) });

/** Waits for `ready`, sends the messages, and gives the answers once the program has ended by itself. */
async function chat(context: TestContext, options: string[], secret: string, messages: (string | Buffer)[]): Promise<string[]> {
  const env = { ...process.env, STICKER_STORE_SECRET: secret };
  const program = spawn(process.execPath, ['--max-old-space-size=64', PROGRAM, ...options], { env, stdio: 'pipe' });
  context.after(() => program.kill('SIGKILL'));
  const ended = new Promise((resolve) => program.on('close', resolve));
  const answers: string[] = [];
  createInterface({ input: program.stdout }).on('line', (line) => answers.push(line));
  for await (const line of createInterface({ input: program.stderr })) {
    assert.equal(line, 'ready');
    messages.forEach((message, at) => {
      if (at > 0) program.stdin.write('\n');
      program.stdin.write(message);
    });
    program.stdin.end();
  }
  assert.equal(await ended, 0);
  return answers;
}

test('the example answers with a key file', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'sticker-token-'));
  context.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'keys.json'), RING, { mode: 0o600 });
  const messages = [message('alice', 'alice'), message('mallory', 'alice'), message('zoë', 'zoë'), 'hello'];
  assert.deepEqual(await chat(context, ['--keys', join(folder, 'keys.json')], '', messages), [
    '{"accepted":true}',
    '{"accepted":false,"code":"wrong_user"}',
    '{"accepted":true}',
    '{"accepted":false,"code":"bad_message"}',
  ]);
});

test('no line of a user ends the example', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'sticker-token-'));
  context.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'keys.json'), RING, { mode: 0o600 });
  const good = message('alice', 'alice');
  const bad = [
    // Longer than any text that Node can hold.
    Buffer.alloc(2 ** 29 + 1, 'x'),
    '['.repeat(4_000),
    '{"a":'.repeat(800),
    Buffer.from(message('zo\u00eb', 'alice'), 'latin1'),
    message('\ud800', '\ufffd'),
    good.replace('"alice"', '{"length":1000000000}'),
    good.replace('"alice"', '[97]'),
    good.replace('8675309', '"8675309"'),
    good + good,
    'null',
    '',
  ];
  const answers = await chat(context, ['--keys', join(folder, 'keys.json')], '', [
    ...bad,
    good.replace('alice', 'al\\u0069ce'),
    good,
  ]);
  assert.deepEqual(answers, [
    ...bad.map(() => '{"accepted":false,"code":"bad_message"}'),
    '{"accepted":true}',
    '{"accepted":true}',
  ]);
});

test('the example answers with a store', async (context) => {
  const store = await TestStore.open(context);
  store.feed = (request, response) => {
    if (request.url?.endsWith('wait=0'))
      text(200, page(1, false, entry(1, Buffer.from('bob').toString('hex'), EXPIRES, STICKER)))(request, response);
  };
  const messages = [message('alice', 'alice'), message('bob', 'bob')];
  assert.deepEqual(await chat(context, ['--store', store.address], 'sk_test', messages), [
    '{"accepted":true}',
    '{"accepted":false,"code":"revoked"}',
  ]);
  assert.deepEqual([...store.authorizations], ['Bearer sk_test']);
});
