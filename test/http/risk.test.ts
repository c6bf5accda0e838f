import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultModel } from '../../src/risk/model.ts';
import { bearer, type HttpWorld, problemOf, startHttpWorld, TOKENS } from '../support/http-world.ts';

describe('the risk of a project, over HTTP', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld();
  });
  afterAll(() => world.stop());
  const ask = (query: string) => world.get(`/api/v1/risk${query}`, bearer(TOKENS.READER));

  it('shows the model and why it is used', async () => {
    const answer = await ask('?project=shop');
    expect(await answer.json()).toMatchObject({
      project: 'shop',
      model: { id: defaultModel.id, origin: 'default', coefficients: { size: 0.8, rollback: -1.5 } },
      why: 'the defaults are used: no outcomes have been looked at yet',
      calibration: null,
    });
  });

  it.each(['', '?project=', '?project[]=a', `?project=${'x'.repeat(300)}`])('refuses %j', async (query) => {
    expect(await problemOf(await ask(query))).toMatchObject({ status: 400, code: 'invalid-request' });
  });
});
