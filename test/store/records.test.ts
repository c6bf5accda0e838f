import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/base/json.ts';
import { eventColumns } from '../../src/store/records.ts';
import { InvalidEventError } from '../../src/store/store.ts';

function dataOf(value: Json): string {
  const event = { id: 'i', source: 's', type: 't', time: '', data: { value } as JsonObject };
  return eventColumns(event).data;
}

function containsNul(value: Json): boolean {
  if (typeof value === 'string') return value.includes('\u0000');
  if (Array.isArray(value)) return value.some(containsNul);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key.includes('\u0000') || containsNul(inner));
}

describe('event data', () => {
  it('is refused exactly when it contains a NUL character, however it is escaped', () => {
    const character = fc.constantFrom('\u0000', '\\', 'u0000', '"', 'a', '\\u0000', '\n');
    const text = fc.array(character, { maxLength: 8 }).map((parts) => parts.join(''));
    const value = fc.oneof(text, fc.array(text), fc.dictionary(text, text)) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(value, (json) => {
        if (containsNul(json)) expect(() => dataOf(json)).toThrow(InvalidEventError);
        else expect(JSON.parse(dataOf(json))).toEqual({ value: json });
      }),
    );
  });

  it('is refused when it is too deep or circular, without a crash', () => {
    let deep: Json = 1;
    for (let n = 0; n < 200_000; n += 1) deep = [deep];
    expect(() => dataOf(deep)).toThrow(InvalidEventError);
    const circle: JsonObject = {};
    circle['self'] = circle;
    expect(() => dataOf(circle)).toThrow(InvalidEventError);
  });
});
