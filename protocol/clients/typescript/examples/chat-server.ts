/**
 * What a chat server does with stickers: a message on each line of the standard input, its fate on each line of the output.
 *
 *     STICKER_STORE_SECRET=sk_... node dist/examples/chat-server.js --store https://stickers.example.com
 *     node dist/examples/chat-server.js --keys keys.json
 *
 *     {"user":"alice","sticker_id":8675309,"token":"AQAD..."}
 *     {"accepted":true}
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Failure, Refresher, Verifier } from '../src/index.js';

const verifier = new Verifier();

function start(): Promise<Refresher> {
  const { store, keys } = parseArgs({ options: { store: { type: 'string' }, keys: { type: 'string' } } }).values;
  const secret = process.env['STICKER_STORE_SECRET'];
  if (keys !== undefined) return Refresher.fromKeyFile(verifier, keys);
  if (store === undefined || secret === undefined)
    throw new Failure("--keys FILE, or --store URL with the client's secret in STICKER_STORE_SECRET");
  return Refresher.fromStore(verifier, store, secret, { timeout: 30_000 });
}

function answer(line: string): object {
  try {
    const { user, sticker_id, token } = JSON.parse(line) as { user: string; sticker_id: number; token: unknown };
    const verdict = verifier.verify(token, sticker_id, Buffer.from(user));
    // The expiry is nothing that a sender needs.
    return verdict.accepted ? { accepted: true } : verdict;
  } catch {
    return { accepted: false, code: 'bad_message' };
  }
}

try {
  const refresher = await start();
  console.error('ready');
  for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(answer(line)));
  refresher.close();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
