import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_DEPTH, MAX_VALUES, NotJson, parseJson } from '../src/json.js';

test('every kind of value is read', () => {
  assert.deepEqual(
    parseJson(' {"a" : [1, -2,true,false,null,"x"],\n"b":{ },\t"__proto__":[ ]}\r\n'),
    new Map<string, unknown>([
      ['a', [1, -2, true, false, null, 'x']],
      ['b', new Map()],
      ['__proto__', []],
    ]),
  );
});

test('strings are unescaped', () => {
  assert.equal(parseJson('"\\"\\\\\\/\\b\\f\\n\\r\\t \\u00e9\\u20AC \\ud83d\\ude00 é"'), '"\\/\b\f\n\r\t é€ \u{1f600} é');
});

test('whole numbers are exact to the last one and all others are none', () => {
  for (const whole of [0, 7, -7, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER])
    assert.equal(parseJson(String(whole)), whole);
  for (const other of [
    '9007199254740992',
    '9007199254740993',
    '-9007199254740992',
    '18446744073709551617',
    '18.0',
    '1e3',
    '-0',
    '9007199254740991.4',
    '0.0',
  ])
    assert.equal(parseJson(other), NaN, other);
});

const BAD = [
  '|{|[|]|[1,]|[,1]|[1 2]|{"a"}|{"a":}|{"a":1,}|{a:1}|{1:1}|{"a":1 "b":2}|1 2|:|,|}|[}|{]|[:]|{"a":1,"a":1}|{"a":1,"\\u0061":1}',
  '01|-|+1|1.|.5|1e|1e+|0x1|NaN|Infinity|nul|truefalse|True|[1]//|/**/1|\u00a01|\ufeff1|\0|1\0|[\0]|\u0661',
  '"|"\n"|"\t"|"\\x"|"\\u12"|"\\u12g4"|"\\u１２３４"|"a\0"|\'a\'',
].join('|');

for (const text of BAD.split('|'))
  test(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parseJson(text), NotJson));

test('a refusal tells the line and nothing else', () => {
  assert.throws(() => parseJson('{\n"keys":\n[secret]}'), { message: 'line 3' });
  assert.throws(() => parseJson('{\n"keys":\n\n]}'), { message: 'line 4' });
  assert.throws(() => parseJson('{\n"keys":[]\n'), { message: 'line 3' });
});

test('nesting has a bound', () => {
  parseJson('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH));
  for (const depth of [MAX_DEPTH + 1, 1_000_000]) assert.throws(() => parseJson('['.repeat(depth) + ']'.repeat(depth)), NotJson);
  assert.throws(() => parseJson('{"a":'.repeat(65) + '1' + '}'.repeat(65)), NotJson);
});

test('the values of a text have a bound and no more of them is built', () => {
  assert.equal((parseJson(`[${'0,'.repeat(MAX_VALUES - 2)}0]`) as unknown[]).length, MAX_VALUES - 1);
  // What follows the first value too many is not read: it is no JSON on another line.
  assert.throws(() => parseJson(`[${'0,'.repeat(MAX_VALUES)}\n]`), { name: 'NotJson', message: 'line 1' });
});

test('every text cut short is refused', () => {
  const text = '{"a":[1,true,null,"b\\n\\u0041",{"c":-1.5e+3}]}';
  parseJson(text);
  for (let length = 0; length < text.length; length++) assert.throws(() => parseJson(text.slice(0, length)), NotJson);
});

test('the longest answer is refused as what it is, whatever fills it', () => {
  for (const part of ['\\n', '"\\n",', '[],', '{"":0},', '\n', '1', '"', '{'])
    for (const begin of ['', '"', '[']) {
      const text = begin + part.repeat(Math.floor(2 ** 23 / part.length));
      let error: unknown;
      try {
        parseJson(text);
      } catch (refused) {
        error = refused;
      }
      if (!(part === '1' && begin === '')) assert.ok(error instanceof NotJson, `${begin} ${part}: ${String(error)}`);
    }
});

test('a long string is read, and one without an end refused', () => {
  const long = 'x\\n'.repeat(1_000_000);
  assert.equal(parseJson(`"${long}"`), 'x\n'.repeat(1_000_000));
  assert.throws(() => parseJson(`"${long}`), NotJson);
});
