import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, commandIn } from '../../src/promotion/commands.ts';

const read = (body: string, edited = false) => commandIn({ body, edited });

describe('a command in a comment', () => {
  it.each(COMMAND_NAMES)('is read: %s', (name) => {
    expect(read(`/lynceus ${name} because of the release`)).toEqual({
      ok: true,
      name,
      reason: 'because of the release',
    });
  });

  it('may stand anywhere at the start of a line', () => {
    expect(read('Let us wait for Monday.\r\n\r\n/lynceus hold  the  freeze\r\nThanks!')).toEqual({
      ok: true,
      name: 'hold',
      reason: 'the freeze',
    });
    expect(read('/lynceus retry')).toEqual({ ok: true, name: 'retry', reason: '' });
  });

  it('has a reason of one line and a bounded length', () => {
    const found = read(`/lynceus hold ${'x'.repeat(5_000)}\nmore`);
    expect(found).toEqual({ ok: true, name: 'hold', reason: 'x'.repeat(500) });
  });

  it.each([
    ['a plain text', 'Please hold this.'],
    ['a word in the middle', 'I would say /lynceus hold here'],
    ['an indented line', '    /lynceus hold'],
    ['one blank before it', ' /lynceus hold'],
    ['a quote', '> /lynceus hold'],
    ['what a quote goes on with', '> somebody wrote:\n/lynceus hold'],
    ['a list', '- /lynceus hold'],
    ['a block of code', 'Write:\n```\n/lynceus hold\n```\n'],
    ['a block of code with other fences inside', '````\n```\n/lynceus hold\n```\n````'],
    ['a block of code that nobody closes', '~~~text\n/lynceus override it\n'],
    ['code that goes over lines', 'Write `first\n/lynceus hold\n` now'],
    ['a hidden comment', '<!--\n/lynceus hold\n-->'],
    ['a hidden comment after text', 'Hello <!-- here:\n\n/lynceus hold\n\n-->'],
    ['a pre', '<pre>\n\n/lynceus hold\n\n</pre>'],
    ['folded text', '<details>\n\n/lynceus hold\n\n</details>'],
    ['another program', '/lynceusx hold'],
    ['another case', '/Lynceus hold'],
    ['nothing', ''],
  ])('is not read out of %s', (_, body) => {
    expect(read(body)).toBeUndefined();
  });

  it('is read after a quote and after code', () => {
    expect(read('> what now?\n\n/lynceus hold\n')).toMatchObject({ ok: true, name: 'hold' });
    expect(read('```\ncode\n```\n/lynceus hold')).toMatchObject({ ok: true, name: 'hold' });
    expect(read('<!-- hidden -->\n\n/lynceus hold')).toMatchObject({ ok: true, name: 'hold' });
  });

  it.each([
    ['/lynceus', 'the commands are `/lynceus hold`'],
    ['/lynceus hodl', 'did you mean `/lynceus hold`?'],
    ['/lynceus HOLD', 'did you mean `/lynceus hold`?'],
    ['/lynceus approve', 'the commands are'],
    ['/lynceus override', 'say why'],
    ['/lynceus hold\n\n/lynceus resume', 'one comment, one command'],
  ])('says what is wrong with %j', (body, message) => {
    expect(read(body)).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });

  it('is not obeyed once the comment was changed', () => {
    expect(read('/lynceus override because', true)).toMatchObject({ ok: false });
    expect(read('Nothing for us', true)).toBeUndefined();
  });

  it('is found or not, whatever people write', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), fc.boolean(), (body, edited) => {
        const found = read(body, edited);
        if (found?.ok) expect(body).toMatch(/^\/lynceus\s/m);
      }),
      { numRuns: 500 },
    );
  });
});
