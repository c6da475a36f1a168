/** What JSON says: objects are maps, and a number that is no whole one of at most 2^53 - 1 is NaN. */
export type Json = null | boolean | number | string | Json[] | Map<string, Json>;

/** Not JSON. Tells the line and nothing of the text, unlike the errors of `JSON.parse`. */
export class NotJson extends Error {
  override readonly name = 'NotJson';

  constructor(line: number) {
    super(`line ${line}`);
  }
}

/** How deep arrays and objects may lie in each other. */
export const MAX_DEPTH = 64;

/** Values in a text, those in arrays and objects too: more than the largest ring and the largest page have. */
export const MAX_VALUES = 2 ** 19;

const TOKEN = /[[\]{},:]|true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
const WHOLE = /^(?:0|-?[1-9]\d{0,15})$/;

/**
 * Reads JSON (RFC 8259) more strictly than `JSON.parse`, which rounds 2^53 + 1 and takes 18.0 for a whole number. A name that
 * comes twice in an object is refused, as in RFC 7493.
 */
export function parseJson(text: string): Json {
  let at = 0;
  /** The token at `at`; empty behind the last one. */
  let token = '';
  let values = 0;

  function fail(): never {
    let line = 1;
    for (let end = text.indexOf('\n'); end >= 0 && end < at; end = text.indexOf('\n', end + 1)) line++;
    throw new NotJson(line);
  }

  /** Behind the closing quote of the string at `at`. No expression: on many escapes V8's run out of stack. */
  function endOfString(): number {
    for (let quote = text.indexOf('"', at + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
      let backslashes = 0;
      while (text[quote - 1 - backslashes] === '\\') backslashes++;
      if (backslashes % 2 === 0) return quote + 1;
    }
    return fail();
  }

  function advance(): void {
    SPACE.lastIndex = at + token.length;
    SPACE.test(text);
    at = TOKEN.lastIndex = SPACE.lastIndex;
    token = text[at] === '"' ? text.slice(at, endOfString()) : (TOKEN.exec(text)?.[0] ?? '');
    if (token === '' && at < text.length) fail();
  }

  function take(expected: string): boolean {
    if (token !== expected) return false;
    advance();
    return true;
  }

  function value(depth: number): Json {
    if (++values > MAX_VALUES) fail();
    if (token === '{' || token === '[') {
      if (depth === 0) fail();
      return token === '{' ? object(depth - 1) : array(depth - 1);
    }
    if (take('null')) return null;
    if (take('true')) return true;
    if (take('false')) return false;
    return token.startsWith('"') ? string() : number();
  }

  function object(depth: number): Map<string, Json> {
    const members = new Map<string, Json>();
    advance();
    if (take('}')) return members;
    do {
      const name = string();
      if (members.has(name) || !take(':')) fail();
      members.set(name, value(depth));
    } while (take(','));
    return take('}') ? members : fail();
  }

  function array(depth: number): Json[] {
    const items: Json[] = [];
    advance();
    if (take(']')) return items;
    do items.push(value(depth));
    while (take(','));
    return take(']') ? items : fail();
  }

  function string(): string {
    if (!token.startsWith('"')) fail();
    let string: string;
    try {
      string = JSON.parse(token) as string;
    } catch {
      fail();
    }
    advance();
    return string;
  }

  function number(): number {
    if (!/^[-\d]/.test(token)) fail();
    const number = WHOLE.test(token) ? Number(token) : NaN;
    advance();
    return Number.isSafeInteger(number) ? number : NaN;
  }

  advance();
  const json = value(MAX_DEPTH);
  return token === '' ? json : fail();
}
