import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

/** The golden case of the specification, and an issuer for others. */
export const TOKEN = 'AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC';
export const STICKER = 8_675_309;
export const EXPIRES = 1_800_086_400;
export const NOW = 1_800_000_000;
export const USER_HEX = '018f3c9a1122733384445566778899aa';
export const USER = Buffer.from(USER_HEX, 'hex');
export const SECRET = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
export const HMAC_KEY = { id: 3, secret: SECRET.toString('hex'), state: 'signing' };

const PAIR = generateKeyPairSync('ed25519');
const PUBLIC = PAIR.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
export const ED25519_KEY = { id: 4, algorithm: 'ed25519', public: PUBLIC, state: 'signing' };

export function ring(...keys: object[]): string {
  return JSON.stringify({ keys });
}

export function page(cursor: number, more: boolean, ...revocations: object[]): string {
  return JSON.stringify({ revocations, cursor, more });
}

export function entry(cursor: number, user_hex: string | null, refuse_until: number, ...sticker_ids: number[]): object {
  return { cursor, user_hex, sticker_ids, refuse_until };
}

export const RING = ring(HMAC_KEY);

/** A token signed with the secret of key 3, or the pair of key 4, whatever it says. */
export function issue(version: 1 | 2, key: number, expires: number, sticker: number, user: Uint8Array): string {
  const fields = Buffer.alloc(15);
  fields.writeUInt8(version, 0);
  fields.writeUInt16BE(key, 1);
  fields.writeUInt32BE(expires, 3);
  fields.writeBigUInt64BE(BigInt(sticker), 7);
  const body = Buffer.concat([fields, user]);
  const signed = Buffer.concat([Buffer.from(`sticker-token-v${version}`), body]);
  const signature = version === 1 ? createHmac('sha256', SECRET).update(signed).digest() : sign(null, signed, PAIR.privateKey);
  return Buffer.concat([body, signature]).toString('base64url');
}
