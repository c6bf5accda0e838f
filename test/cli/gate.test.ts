import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GateAnswer } from '../../src/views/gate.ts';
import { lynceus } from '../support/cli.ts';
import { type GateWorld, startGateWorld, VALUES } from '../support/gate-world.ts';
import { TOKENS } from '../support/http-world.ts';

describe('lynceus gate wait', () => {
  let world: GateWorld;
  beforeAll(async () => {
    world = await startGateWorld();
  });
  afterAll(() => world.stop());
  const wait = (args: readonly string[], env: Record<string, string> = {}) =>
    lynceus(['gate', 'wait', '--interval', '100ms', ...args], {
      LYNCEUS_URL: world.url,
      LYNCEUS_TOKEN: TOKENS.REPORTER,
      ...env,
    });

  it.each([
    ['a change that passed', ['--app', 'good-app'], 0, /^pass: staging: it ended as pass \(http/],
    ['one that failed', ['--app', 'bad-app'], 1, /^fail: staging: it ended as fail/],
    ['one with a warning', ['--app', 'doubtful-app'], 2, /^warning: /],
    ['a warning that is accepted', ['--app', 'doubtful-app', '--accept-warning'], 0, /^warning: /],
  ])('ends with the verdict of %s', async (_what, args, code, says) => {
    const ended = await wait(args);
    expect(ended.out).toMatch(says);
    expect(ended.code).toBe(code);
  });

  it('lets a commit through that may be deployed, and no commit without a name', async () => {
    const until = ['--app', 'deployed-app', '--until', 'deploy'];
    const ended = await wait([...until, '--revision', world.revision]);
    expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(/^pass: staging: checked and approved/) });
    const place = ['--project', 'shop', '--stage', 'staging', '--service', 'deployed'];
    expect((await wait([...place, '--until', 'deploy'])).code).toBe(64);
  });

  it('evaluates once, and waits for it', async () => {
    world.errors('good', VALUES.fail);
    const place = ['--project', 'shop', '--stage', 'staging', '--service', 'good'];
    expect((await wait(['--kind', 'evaluation', ...place])).code).toBe(1);
    world.errors('good', VALUES.pass);
    expect((await wait(['--kind', 'evaluation', ...place])).code).toBe(0);
  });

  it('says once what it waits for, and is no pass when the time is over', async () => {
    const { code, out, err } = await wait(['--app', 'waiting-app', '--timeout', '1s']);
    expect(out).toBe('staging: waiting for an approval\n');
    expect(err).toBe('No verdict within 1 s: staging: waiting for an approval\n');
    expect(code).toBe(3);
  });

  it.each([
    ['a wrong token', ['--app', 'good-app'], { LYNCEUS_TOKEN: 'wrong-token-0123456789' }, /answered 401/],
    ['a commit that is none', ['--app', 'a', '--revision', 'main'], {}, /answered 400: revision: must be a commit id/],
    ['an unknown name', ['--app', 'nowhere', '--timeout', '500ms'], {}, /No application is known of app nowhere/],
    [
      'a server that is not there',
      ['--app', 'a', '--timeout', '300ms', '--server', 'http://127.0.0.1:9'],
      {},
      /cannot be reached/,
    ],
  ])('could not be judged with %s', async (_what, args, env, says) => {
    const { code, out, err } = await wait(args, env as Record<string, string>);
    expect(out).toMatch(says);
    expect(code).toBe(3);
    expect(out + err).not.toContain('wrong-token');
  });

  it.each([
    [['--app', 'a', '--timeout', 'soon'], /^--timeout and --interval must be durations/],
    [['--app', 'a', '--interval', '0s'], /^--timeout and --interval must be durations/],
    [['--app', 'a', '--kind', 'vote'], /Allowed choices are change, evaluation/],
    [[], /^Name what is asked about: --app/],
    [['--app', ''], /^--app: is empty/],
    [['--app', 'a', '--until', 'deploy', '--revision', ''], /^--revision: is empty/],
    [['--app', 'a', '--timeframe', '5m'], /^--timeframe is of an evaluation/],
    [['--app', 'a', '--server', 'lynceus'], /^--server lynceus: write a URL/],
  ])('is used wrongly: %j', async (args, says) => {
    const { code, err } = await wait(args);
    expect(err).toMatch(says);
    expect(code).toBe(64);
  });
});

describe('lynceus gate wait at a server that', () => {
  const answer = (changes: Partial<GateAnswer>) => ({
    result: 'pass',
    reason: 'so',
    url: 'http://x',
    complete: true,
    ...changes,
  });
  let server: Server;
  let answers: [status: number, body: unknown][] = [];
  beforeAll(async () => {
    server = createServer((_request, response) => {
      const [status, body] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [500, {}];
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const wait = () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return lynceus(['gate', 'wait', '--app', 'a', '--interval', '100ms', '--timeout', '2s'], { LYNCEUS_SERVER: url });
  };

  it('is away for a moment is asked again', async () => {
    const waiting = (reason: string) => answer({ result: 'running', complete: false, reason });
    answers = [
      [503, {}],
      [200, waiting('one')],
      [200, waiting('one')],
      [200, waiting('two')],
      [200, answer({})],
    ];
    const { code, out } = await wait();
    expect(out).toMatch(/^http.* answered 503: .*\none\ntwo\npass: so \(http:\/\/x\)\n$/);
    expect(code).toBe(0);
  });

  it.each([
    ['answers something else', [200, { hello: 'world' }]],
    ['could not judge', [200, answer({ result: 'error' })]],
    ['says a word that nobody knows', [200, answer({ result: 'great' as never })]],
    ['stays away', [502, {}]],
  ] as [string, [number, unknown]][])('%s is no pass', async (_what, one) => {
    answers = [one];
    expect((await wait()).code).toBe(3);
  });

  it('sends the shell something to do is shown as text', async () => {
    answers = [[200, answer({ reason: 'a\u001b[31mred\nline' })]];
    const { out } = await wait();
    expect(out).not.toContain('\u001b');
    expect(out.split('\n')).toHaveLength(2);
  });
});
