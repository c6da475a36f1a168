/**
 * Complete verification of a token beside what it cannot do without: Node's own HMAC-SHA256 of the same bytes with a prepared key,
 * and base64 decoding. In one run, in turns, warmed up; medians of the rounds. Shared machines are noisy, so what counts is the ratio.
 */
import { createHmac, createSecretKey } from 'node:crypto';
import { Keyring, Verifier } from '../src/index.js';

const TOKEN = 'AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC';
const USER = Buffer.from('018f3c9a1122733384445566778899aa', 'hex');
const SECRET = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const [WARM_UP, ROUNDS, REPEATS] = [50, 200, 1_000];

const verifier = new Verifier(Keyring.parse(JSON.stringify({ keys: [{ id: 3, secret: SECRET, state: 'signing' }] })));
const key = createSecretKey(Buffer.from(SECRET, 'hex'));
const domain = Buffer.from('sticker-token-v1');

function reference(): number {
  const bytes = Buffer.from(TOKEN, 'base64url');
  const mac = createHmac('sha256', key).update(domain).update(bytes.subarray(0, -32)).digest();
  return mac.readUInt8(0);
}

function verify(): number {
  const verdict = verifier.verify(TOKEN, 8_675_309, USER, 1_800_000_000);
  if (!verdict.accepted) throw new Error(verdict.code);
  return verdict.expires;
}

let sink = 0;

function nanoseconds(work: () => number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < REPEATS; i++) sink += work();
  return Number(process.hrtime.bigint() - start) / REPEATS;
}

function compare(name: string): void {
  const [verified, referred]: [number[], number[]] = [[], []];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const [a, b] = [nanoseconds(verify), nanoseconds(reference)];
    if (round >= 0) {
      verified.push(a);
      referred.push(b);
    }
  }
  const median = (times: number[]) => times.sort((a, b) => a - b)[ROUNDS / 2] ?? NaN;
  const [a, b] = [median(verified), median(referred)];
  console.log(`verify ${name}: ${a.toFixed(0)} ns; HMAC-SHA256 and base64: ${b.toFixed(0)} ns; ratio ${(a / b).toFixed(2)}`);
}

compare('with an empty deny list');
const revocations = Array.from({ length: 10_000 }, (_, user) => ({
  cursor: 1,
  user_hex: user.toString(16).padStart(32, '0'),
  sticker_ids: [8_675_309],
  refuse_until: 1_800_086_400,
}));
verifier.denied.apply(JSON.stringify({ revocations, cursor: 1, more: false }));
compare('with 10,000 denied users');
if (Number.isNaN(sink)) throw new Error('no figure');
