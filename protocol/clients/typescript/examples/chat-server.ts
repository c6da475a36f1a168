/**
 * What a chat server does with stickers: a message on each line of the standard input, its fate on each line of the output.
 * Whatever a line holds, it gets an answer and the next one is read.
 *
 *     STICKER_STORE_SECRET=sk_... node dist/examples/chat-server.js --store https://stickers.example.com
 *     node dist/examples/chat-server.js --keys keys.json
 *
 *     {"user":"alice","sticker_id":8675309,"token":"AQAD..."}
 *     {"accepted":true}
 */
import { parseArgs } from 'node:util';
import { Failure, Refresher, Verifier } from '../src/index.js';

/** Bytes of a line; of a longer one the rest is passed over. */
const MAX_LINE = 4096;
const LINE_FEED = 10;
const verifier = new Verifier();

function start(): Promise<Refresher> {
  const { store, keys } = parseArgs({ options: { store: { type: 'string' }, keys: { type: 'string' } } }).values;
  const secret = process.env['STICKER_STORE_SECRET'];
  if (keys !== undefined) return Refresher.fromKeyFile(verifier, keys);
  if (store === undefined || secret === undefined)
    throw new Failure("--keys FILE, or --store URL with the client's secret in STICKER_STORE_SECRET");
  return Refresher.fromStore(verifier, store, secret, { timeout: 30_000 });
}

/** Lines without their ends; undefined where one is too long. */
async function* lines(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  let line: Buffer | undefined = Buffer.alloc(0);
  let begun = false;
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; ) {
      const found = chunk.indexOf(LINE_FEED, at);
      const end = found < 0 ? chunk.length : found;
      if (line) line = line.length + end - at > MAX_LINE ? undefined : Buffer.concat([line, chunk.subarray(at, end)]);
      begun = found < 0;
      at = end + 1;
      if (begun) continue;
      yield line;
      line = Buffer.alloc(0);
    }
  }
  if (begun) yield line;
}

function answer(line: Buffer | undefined): object {
  try {
    const { user, sticker_id, token } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line)) as Record<
      string,
      unknown
    >;
    if (typeof user !== 'string' || typeof sticker_id !== 'number') throw new TypeError('no text and no number');
    // A lone surrogate has no UTF-8: it would be taken for the replacement character.
    encodeURIComponent(user);
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
  for await (const line of lines(process.stdin)) console.log(JSON.stringify(answer(line)));
  refresher.close();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
