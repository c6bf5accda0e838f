import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readItems } from '../../../src/adapters/delivery-systems/argocd-list.ts';

const LIMITS = { timeoutMs: 5_000, maxBytes: 1024 * 1024 };

/** As it arrives when it is cut at these places. */
function arriving(text: string, cuts: readonly number[] = []): Readable {
  const bytes = Buffer.from(text);
  const places = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return Readable.from(places.slice(1).map((end, at) => bytes.subarray(places[at], end)));
}

async function read(stream: Readable, limits = LIMITS): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of readItems(stream, 'main', limits)) items.push(item);
  return items;
}

describe('a list of applications that is read while it arrives', () => {
  it('is what JSON.parse would make of it, wherever it is cut', async () => {
    const list = fc.record({
      metadata: fc.dictionary(fc.string(), fc.jsonValue()),
      items: fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())),
      more: fc.jsonValue(),
    });
    await fc.assert(
      fc.asyncProperty(list, fc.array(fc.nat()), fc.constantFrom(undefined, 1), async (value, cuts, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(await read(arriving(text, cuts))).toEqual(JSON.parse(text).items);
      }),
    );
  });

  it('keeps apart what is escaped from what ends a text, also where it is cut in between', async () => {
    const items = [{ message: 'a "quoted\\" {[ \\\\' }, { '"}],': '\\' }, { emoji: '🛑', u: '\u0000' }];
    const text = JSON.stringify({ items });
    for (let cut = 0; cut <= text.length; cut++) expect(await read(arriving(text, [cut, cut + 1]))).toEqual(items);
  });

  it.each([
    ['null', '{"metadata":{"resourceVersion":"751"}\n,"items":null}'],
    ['an empty list', '{"metadata":{},"items":[ ]}'],
  ])('has nothing in it where Argo CD answers %s', async (_, text) => {
    expect(await read(arriving(text))).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['a list without a name', '[{"metadata":{}}]'],
    ['no list', '{"metadata":{"items":[]}}'],
    ['a web page', '<html><body class="items">[]</body></html>'],
    ['texts instead of applications', '{"items":["checkout"]}'],
    ['numbers instead of applications', '{"items":[1,2]}'],
    ['lists instead of applications', '{"items":[[]]}'],
    ['an object instead of the list', '{"items":{"checkout":{}}}'],
    ['a list that breaks off', '{"items":[{"metadata":{}}'],
    ['an application that breaks off', '{"items":[{"metadata":{'],
    ['a text that breaks off', '{"items":[],"kind":"'],
    ['an application that is not JSON', '{"items":[{metadata}]}'],
    ['brackets that do not match', '{"items":[{"metadata":]}'],
  ])('is refused where Argo CD answers %s', async (_, text) => {
    await expect(read(arriving(text))).rejects.toMatchObject({ reason: 'bad-response' });
  });

  it('is refused when it is longer than we read', async () => {
    const limits = { ...LIMITS, maxBytes: 100 };
    const text = JSON.stringify({ items: [{ name: 'x'.repeat(200) }] });
    await expect(read(arriving(text), limits)).rejects.toMatchObject({ reason: 'bad-response' });
  });

  it('is refused when an application does not end', async () => {
    const piece = Buffer.from('x'.repeat(1024 * 1024));
    const endless = Readable.from([Buffer.from('{"items":[{"name":"'), ...Array(17).fill(piece)]);
    const limits = { ...LIMITS, maxBytes: 1024 * 1024 * 1024 };
    await expect(read(endless, limits)).rejects.toMatchObject({ reason: 'bad-response' });
  });

  it('is given up in time, when it is told to, and when the connection breaks', async () => {
    const silent = () => new Readable({ read: () => undefined });
    await expect(read(silent(), { ...LIMITS, timeoutMs: 20 })).rejects.toMatchObject({ reason: 'timeout' });
    const signal = AbortSignal.timeout(20);
    const given = silent();
    await expect(read(given, { ...LIMITS, signal } as typeof LIMITS)).rejects.toMatchObject({ reason: 'cancelled' });
    expect(given.destroyed).toBe(true);
    const broken = silent();
    setTimeout(() => broken.destroy(new Error('ECONNRESET')), 10);
    await expect(read(broken)).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('is read no further than somebody wants', async () => {
    const stream = arriving(JSON.stringify({ items: [{ a: 1 }, { b: 2 }] }));
    for await (const item of readItems(stream, 'main', LIMITS)) {
      expect(item).toEqual({ a: 1 });
      break;
    }
    expect(stream.destroyed).toBe(true);
  });
});
