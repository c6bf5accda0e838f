import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson, STRICT_JSON_LIMITS } from '../../src/base/strict-json.ts';

const parse = (text: string | Buffer) => parseStrictJson(text);
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('JSON from outside', () => {
  it.each<[string, string | Buffer, string, string]>([
    ['a key that stands twice', '{\n  "a": 1,\n  "b": {"c": 1},\n  "a": 2}', 'duplicate-key', '4:3: the key "a"'],
    ['a key that is the same once its escapes are read', '{"\\u0061":1,"a":2}', 'duplicate-key', '1:13:'],
    ['a duplicate deep inside', '[{"x":{"y":1,"y":2}}]', 'duplicate-key', '1:14:'],
    ['a prototype', '{"a":{"__proto__":{"admin":true}}}', 'forbidden-key', '1:7: the key "__proto__"'],
    ['a prototype written with escapes', '{"\\u005f_proto__":1}', 'forbidden-key', '1:2:'],
    ['a constructor', '{"constructor":{"prototype":{}}}', 'forbidden-key', '1:2:'],
    ['a NUL character', '{"a":"x\\u0000y"}', 'bad-character', '1:6: holds a NUL'],
    ['half a character', '{"a":"\\ud83d"}', 'bad-character', '1:6: holds half'],
    ['half a character in a key', '{"\\uDE00":1}', 'bad-character', '1:2:'],
    ['65 levels', nested(65), 'too-deep', '1:65: nested deeper than 64'],
    ['100,000 levels', nested(100_000), 'too-deep', '1:65:'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'not-utf8', 'UTF-8'],
    ['a byte order mark', '\ufeff{}', 'not-json', '1:1:'],
    ['nothing', '', 'not-json', 'empty'],
    ['a text that ends too early', '{"a":[1,\n2', 'not-json', '2:2: the text ends too early'],
    ['what a Go template prints for a missing field', '{"a":1,\n "b":<no value>}', 'not-json', '2:6: this is not JSON'],
    ['what a Go template prints for a map', '{"a":map[b:c]}', 'not-json', '1:6:'],
    ['a comma too many', '{"a":1,}', 'not-json', '1:8:'],
    ['a missing value', '{"a":}', 'not-json', '1:6:'],
    ['a second document', '{} {}', 'not-json', '1:4:'],
    ['more than it may be', `"${'x'.repeat(STRICT_JSON_LIMITS.maxBytes)}"`, 'too-large', 'bytes are more than 1048576'],
  ])('is refused with %s', (_, text, code, detail) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ ok: false, code });
    expect(parsed.ok ? '' : parsed.detail).toContain(detail);
  });

  it.each<[string, string, unknown]>([
    ['the same key in several objects', '[{"a":1},{"a":{"a":2}}]', [{ a: 1 }, { a: { a: 2 } }]],
    ['quotes and backslashes in keys', '{"a\\"":1,"a\\\\":2}', { 'a"': 1, 'a\\': 2 }],
    ['colons and braces in texts', '{"a" : "{\\"b\\":1}:"}', { a: '{"b":1}:' }],
    ['whole surrogate pairs', '["\\ud83d\\ude00"]', ['😀']],
    ['a backslash before what only looks like an escape', '["\\\\u0000"]', ['\\u0000']],
    ['64 levels', nested(64), JSON.parse(nested(64))],
  ])('may hold %s', (_, text, value) => {
    expect(parse(text)).toEqual({ ok: true, value });
  });

  it('means what JSON.parse says it means, or is refused', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const parsed = parse(Buffer.from(text));
        if (parsed.ok) expect(parsed.value).toEqual(JSON.parse(text));
        else expect(text).toMatch(/\\u0000|\\ud[89a-f]|__proto__|constructor|prototype/);
      }),
    );
  });

  it('is refused exactly when an object has a key twice', () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd"', 'e\\', '\u00e9'), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 4 }), (objects) => {
        const text = `[${objects.map((names) => `{${names.map((name) => `${JSON.stringify(name)}: 1`).join(',')}}`)}]`;
        const twice = objects.some((names) => new Set(names).size < names.length);
        expect(parse(text)).toMatchObject(twice ? { ok: false, code: 'duplicate-key' } : { ok: true });
      }),
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => typeof parse(Buffer.from(bytes)).ok === 'boolean'),
    );
    const scraps = fc.array(
      fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '1', 'null', 'x', '\\', '\n', ' '),
    );
    fc.assert(
      fc.property(scraps, (parts) => {
        const parsed = parse(parts.join(''));
        expect(parsed.ok || parsed.detail !== '').toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
