import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lynceus } from '../support/cli.ts';
import { type HttpWorld, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { promoted } from '../support/journeys.ts';

describe('lynceus rollback', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({ sequences: [...promoted('search'), ...promoted('alone').slice(0, 1)] });
  });
  afterAll(() => world.stop());
  const rollback = (...args: string[]) =>
    lynceus(['rollback', ...args], { LYNCEUS_SERVER: world.url, LYNCEUS_TOKEN: TOKENS.APPROVER });

  it.each([
    [['ctx-search', '--reason', 'r'], 1, /^The change is in several stages: name one: nothing was decided\.$/m],
    [
      ['ctx-search', '--reason', 'r', '--stage', 'staging'],
      1,
      /answered 409: .*say how to go back, by sync or by pull/,
    ],
    [['ctx-search', '--stage', 'staging'], 64, /required option '--reason <text>' not specified/],
    [['ctx-search', '--reason', 'r', '--by', 'force'], 64, /Allowed choices are sync, pullRequest/],
  ] as [string[], number, RegExp][])('%j decides nothing, and says why', async (args, code, message) => {
    const done = await rollback(...args);
    expect(done.err).toMatch(message);
    expect(done.code).toBe(code);
    expect((await world.change('ctx-search')).stages).toHaveLength(3);
  });

  it('asks for it in the stage that is named, and needs no name where there is one', async () => {
    const named = await rollback('ctx-search', '--reason', 'INC-7', '--stage', 'staging', '--by', 'sync');
    expect(named).toMatchObject({ code: 0, err: '' });
    expect((await world.change('ctx-search')).stages.at(-1)).toMatchObject({
      stage: 'staging',
      asked: { what: 'rollback', sequence: 'search-staging', actor: 'approver', reason: 'INC-7' },
    });
    expect(await rollback('ctx-alone', '--reason', 'INC-8', '--by', 'pullRequest')).toMatchObject({ code: 0 });
    expect((await world.change('ctx-alone')).stages.at(-1)).toMatchObject({ stage: 'dev', asked: { reason: 'INC-8' } });
  });
});
