import { NotJson, parseJson, type Json } from './json.js';

/** Why a key file, or a page of the deny feed, is refused as a whole. */
export type Fault = 'bad_json' | 'bad_id' | 'bad_state' | 'bad_key' | 'duplicate_id' | 'two_signing' | 'bad_page';

/** A key file or a page of the deny feed was refused. The message tells the code and the place, nothing of the content. */
export class BadInputError extends Error {
  override readonly name = 'BadInputError';

  constructor(
    readonly code: Fault,
    place: string,
  ) {
    super(`${code}: ${place}`);
  }
}

export function parseOr(code: Fault, text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw error instanceof NotJson ? new BadInputError(code, error.message) : error;
  }
}

export function isWhole(value: Json | undefined, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

export function bytesOf(hex: Json | undefined, least = 32, most = least): Buffer | undefined {
  if (typeof hex !== 'string' || hex.length % 2 > 0 || !/^[0-9a-f]+$/i.test(hex)) return undefined;
  return hex.length >= 2 * least && hex.length <= 2 * most ? Buffer.from(hex, 'hex') : undefined;
}
