import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeView } from '../../src/views/change.ts';
import { lynceus } from '../support/cli.ts';
import { createGitHubPromotions, type GitHubPromotions, type Promotion } from '../support/promotion-world.ts';

let world: GitHubPromotions;
let server: Server;
let told: Promotion;

beforeAll(async () => {
  world = await createGitHubPromotions();
  world.fake.accounts.named('grace').permission = 'write';
  // The service, as far as the command asks it.
  server = createServer((_request, response) => {
    const view = changeView([told.state()], { progress: () => undefined, evidence: () => 'e' });
    const page = `${world.fake.url}/acme/deploy/pull/${told.number()}`;
    const stages = view?.stages.map((stage) => {
      return { ...stage, reviews: stage.reviews?.map((review) => ({ ...review, url: page })) };
    });
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ ...view, stages }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  expect(world.fake.violations).toEqual([]);
  await world.close();
});
beforeEach(async () => {
  told = world.begin();
  await told.look();
});

const approve = (env: Record<string, string>, ...more: string[]) => {
  const { port } = server.address() as AddressInfo;
  const args = ['approve', 'some-change', '--reason', 'I looked at it', ...more];
  return lynceus(args, { LYNCEUS_SERVER: `http://127.0.0.1:${port}`, ...env });
};
const site = () => ['--site', world.fake.url];
const tokenOf = (login: string) => world.fake.accounts.named(login).token;
const reviews = () => world.fake.state.pulls.pullOf(told.number()).reviews;

describe('lynceus approve', () => {
  it('approves at the Git host as the person whose token is in the environment', async () => {
    const { code, out, err } = await approve({ GH_TOKEN: tokenOf('grace') }, ...site());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`Approved ${told.commit.slice(0, 8)} as grace`);
    expect(reviews()).toMatchObject([{ by: { login: 'grace' }, state: 'APPROVED', sha: told.commit }]);
    const outcome = await told.settle();
    expect(outcome).toMatchObject({ kind: 'finished', result: 'pass' });
  });

  it('says where to approve without a token, and with which one', async () => {
    const { code, err } = await approve({});
    expect(code).toBe(1);
    expect(err).toContain(`/acme/deploy/pull/${told.number()}, or put your own token into GH_TOKEN or GITHUB_TOKEN`);
    expect(reviews()).toEqual([]);
  });

  it('approves nothing that was pushed after the evaluation', async () => {
    const { head } = world.fake.state.pulls.pullOf(told.number());
    world.origin.commit({ branch: head, files: { evil: 'x' } });
    const { code, err } = await approve({ GH_TOKEN: tokenOf('grace') }, ...site());
    expect(code).toBe(1);
    expect(err).toContain(`looked at was ${told.commit.slice(0, 7)}`);
    expect(reviews()).toEqual([]);
  });

  it('never shows the token, also when it is wrong', async () => {
    const { code, out, err } = await approve({ GITHUB_TOKEN: 'ghp_canary_of_nobody' }, ...site());
    expect(code).toBe(1);
    expect(out + err).not.toContain('canary');
  });

  it('gives the token to no server that only the service names', async () => {
    world.fake.requests.length = 0;
    const { code, err } = await approve({ GH_TOKEN: tokenOf('grace') });
    expect(code).toBe(1);
    expect(err).toContain(`if your token may go to ${world.fake.url}, say so with --site ${world.fake.url}`);
    expect(world.fake.requests).toEqual([]);
  });

  it('approves the promotion that is named, and no other', async () => {
    const { code, err } = await approve({ GH_TOKEN: tokenOf('grace') }, '--to', 'europe');
    expect(code).toBe(1);
    expect(err).toContain('No promotion to europe waits for a review');
    expect(reviews()).toEqual([]);
  });
});
