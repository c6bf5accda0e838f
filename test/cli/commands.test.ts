import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChangeRow } from '../../src/answers/change-row.ts';
import { SETTINGS } from '../../src/config/environment.ts';
import { openStore } from '../../src/store/open.ts';
import { lynceus, lynceusUnread } from '../support/cli.ts';
import { bearer, type HttpWorld, notification, startHttpWorld, story, TOKENS, YEARS } from '../support/http-world.ts';
import { planned, step, taskTriggered } from '../support/sequence.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('the command line', () => {
  it('ends quietly, and not with success, when nobody reads on', async () => {
    expect(await lynceusUnread(['--help'])).toEqual({ code: 141, err: '' });
  });

  it('explains itself', async () => {
    const { code, out } = await lynceus(['--help']);
    expect(code).toBe(0);
    for (const command of ['serve', 'migrate', 'backup', 'validate', 'changes', 'approve', 'reject', 'abort'])
      expect(out).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });

  it('explains every setting of the service', async () => {
    const { code, out } = await lynceus(['serve', '--help']);
    expect(code).toBe(0);
    for (const { name } of SETTINGS) expect(out).toContain(`  ${name} `);
  });

  it('never shows the token that it was given', async () => {
    for (const command of ['changes', 'approve']) {
      const { out, err } = await lynceus([command, '--help'], { LYNCEUS_TOKEN: 'canary-0123456789' });
      expect(out).toContain('LYNCEUS_TOKEN');
      expect(out + err).not.toContain('canary');
    }
  });

  it.each([
    [['serv'], /unknown command 'serv'[\s\S]*serve/],
    [['serve', '--port', '80'], /unknown option '--port'/],
    [['backup'], /missing required argument 'file'/],
    [['validate'], /missing required argument 'file'/],
    [['approve', 'some-change'], /required option '--reason <text>' not specified/],
    [['changes', '--output', 'xml'], /Allowed choices are text, wide, json/],
    [['serve', 'now'], /too many arguments/],
    [[], /Usage: lynceus/],
  ])('answers %j with 64 and what would be right', async (args, message) => {
    const { code, err } = await lynceus(args);
    expect(err).toMatch(message);
    expect(code).toBe(64);
  });
});

describe('validate', () => {
  const good = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - {name: dev, branch: stage/dev, sync: automatic}
`;

  it('says ok for files that are right', async () => {
    const [delivery, slo] = [
      file('delivery.yaml', good),
      file(
        'slo.yaml',
        'spec_version: "1.0"\nobjectives: [{sli: error_rate, pass: [{criteria: ["<=1"]}]}]\ntotal_score: {pass: "90%"}\n',
      ),
    ];
    expect(await lynceus(['validate', delivery, slo])).toMatchObject({
      code: 0,
      out: `${delivery}: ok\n${slo}: ok\n`,
      err: '',
    });
  });

  it('names every mistake of every file with line and column, and fails', async () => {
    const wrong = file('wrong-delivery.yaml', good.replace('sync: automatic', 'snyc: automatic, soak: long'));
    const bomb = file('bomb-slo.yaml', `objectives: ${'['.repeat(5_000)}`);
    const { code, out, err } = await lynceus([
      'validate',
      wrong,
      bomb,
      file('ok-delivery.yaml', good),
      '/nowhere.yaml',
    ]);
    expect(code).toBe(1);
    expect(err).toContain(`${wrong}:6:38 spec.stages[0] unknown property "snyc", did you mean "sync"?`);
    expect(err).toMatch(/wrong-delivery\.yaml:6:61 spec\.stages\[0\]\.soak "long" is not /);
    expect(err).toMatch(/bomb-slo\.yaml:\d+:\d+ /);
    expect(err).toContain('/nowhere.yaml: cannot be read');
    expect(out).toMatch(/ok-delivery\.yaml: ok\n$/);
  });

  it('says which files it knows', async () => {
    const { code, err } = await lynceus(['validate', file('notes.txt', 'hello')]);
    expect(code).toBe(1);
    expect(err).toMatch(/notes\.txt: not a file that Lynceus knows \(delivery\.yaml, /);
  });
});

describe('serve', () => {
  const serve = (env: Record<string, string>) =>
    lynceus(['serve'], { LYNCEUS_DATA_DIR: join(folder, 'data'), LYNCEUS_LISTEN: '127.0.0.1:0', ...env });

  it('stops with 78 and every mistake of lynceus.yaml', async () => {
    const config = file(
      'mistakes.yaml',
      `apiVersion: lynceus.dev/v1
kind: Connections
deliverySystems:
  - {name: main, kind: argocd, url: "https://argocd.example.com", token: {env: ARGOCD_TOKEN}, wacth: true}
metrics: [{name: m, kind: influx}]
tokens: [{name: ada, token: {env: ADA}}]
`,
    );
    const { code, err } = await serve({ LYNCEUS_CONFIG: config, ADA: 'canary-ada' });
    expect(code).toBe(78);
    expect(err.trim().split('\n')).toEqual([
      `${config}:4:74 deliverySystems[0].token the environment variable ARGOCD_TOKEN is not set: set it to the secret`,
      `${config}:4:95 deliverySystems[0] unknown property "wacth", did you mean "watch"?`,
      `${config}:5:27 metrics[0].kind unknown kind "influx", did you mean "influxdb"?`,
      `${config}:6:29 tokens[0].token the token is shorter than 16 characters: take a random one, e.g. of "openssl rand -hex 32"`,
    ]);
  });

  it('stops with 78 without a lynceus.yaml, and says where it looked', async () => {
    const { code, err } = await serve({ LYNCEUS_CONFIG: join(folder, 'nothing.yaml') });
    expect(code).toBe(78);
    expect(err).toContain('nothing.yaml cannot be read: write it');
  });

  it('stops with 78 and every mistake of the environment', async () => {
    const { code, err } = await serve({ LYNCEUS_LEASE: 'long', LYNCEUS_CONCURRENCY: 'many', DATABASE_URL: 'canary' });
    expect(code).toBe(78);
    expect(err.trim().split('\n')).toHaveLength(3);
    expect(err).not.toContain('canary');
  });

  it('stops with 78 when its address is taken', async () => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const config = file('plain.yaml', 'apiVersion: lynceus.dev/v1\nkind: Connections\n');
    const { code, err } = await serve({ LYNCEUS_CONFIG: config, LYNCEUS_LISTEN: `127.0.0.1:${port}` });
    server.close();
    expect(code).toBe(78);
    expect(err).toContain(`cannot listen on 127.0.0.1:${port}: the address is in use`);
  });
});

describe('beside a running service', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    const waiting = [...planned(step('approval', { always: true }), step('sync')), taskTriggered(1, 'approval', YEARS)];
    world = await startHttpWorld({
      sequences: ['checkout', 'basket', `service-${'x'.repeat(50)}`].map((id) => story(id, waiting)),
    });
  });
  afterAll(() => world.stop());
  const remote = (args: string[], env: Record<string, string> = {}) =>
    lynceus(args, { LYNCEUS_SERVER: world.url, LYNCEUS_TOKEN: TOKENS.APPROVER, ...env });

  it('a second one on the same data is refused at once, with the process that has them', async () => {
    const config = file('second.yaml', 'apiVersion: lynceus.dev/v1\nkind: Connections\n');
    const { code, err, ms } = await lynceus(['serve'], {
      LYNCEUS_DATA_DIR: world.dataDir,
      LYNCEUS_CONFIG: config,
      LYNCEUS_LISTEN: '127.0.0.1:0',
    });
    expect(code).toBe(1);
    expect(err).toContain(`is in use by process ${process.pid} on`);
    // It does not wait for its turn; starting Node takes the most of it.
    expect(ms).toBeLessThan(20_000);
  });

  it('backup makes a copy that opens', async () => {
    const body = JSON.stringify(notification('before-the-backup'));
    await world.post('/webhooks/argocd', body, bearer(TOKENS.WEBHOOK_NEW));
    const copy = join(folder, 'copy.db');
    const done = await lynceus(['backup', copy], { LYNCEUS_DATA_DIR: world.dataDir });
    expect(done).toMatchObject({ code: 0, err: '' });
    const restored = join(folder, 'restored');
    mkdirSync(restored);
    renameSync(copy, join(restored, 'lynceus.db'));
    const store = await openStore({ dataDir: restored });
    const subjects = (await store.readLog({ limit: 1000 })).map(({ subject }) => subject);
    await store.close();
    expect(subjects).toContain('main/argocd/before-the-backup');
  });

  it('changes fit the columns, newest first, with where each one is', async () => {
    const { code, out } = await remote(['changes']);
    const lines = out.trimEnd().split('\n');
    expect(code).toBe(0);
    expect(lines[0]).toMatch(/^CHANGE +SERVICE +STATE +WHERE +TIME +ODDS$/);
    expect(lines).toHaveLength(7);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(120);
    expect(out).toMatch(
      /^ctx-bask +basket +waiting +staging‖ +\d.*\n {10}Approval of staging needed → You \(approvers\) approve$/m,
    );
  });

  it('changes can be JSON for programs', async () => {
    const { out } = await remote(['changes', '--service', 'basket', '--output', 'json']);
    expect((JSON.parse(out) as { rows: ChangeRow[] }).rows).toMatchObject([{ id: 'ctx-basket' }]);
  });

  it('one change is told by its five answers and its steps', async () => {
    const { code, out } = await remote(['change', 'ctx-bask']);
    expect(code).toBe(0);
    expect(out).toMatch(/^Where +waiting: staging‖$/m);
    expect(out).toMatch(/^Waits for +Approval of staging needed$/m);
    expect(out).toMatch(/^Who +You \(approvers\) approve$/m);
    expect(out).toMatch(/^BEGAN +STAGE +STEP +STATE +TOOK +WHAT$/m);
    expect(out).toMatch(/staging +approval +waiting +.* so far, people/);
  });

  it('approve and reject take the id of the table, and need a reason', async () => {
    const approved = await remote(['approve', 'ctx-bask', '--reason', 'tested by hand']);
    expect(approved).toMatchObject({ code: 0, err: '' });
    expect((await world.change('ctx-basket')).stages[0]?.tasks[1]?.decisions).toMatchObject([
      { actor: 'approver', verdict: 'approve', reason: 'tested by hand' },
    ]);
    const rejected = await remote(['reject', 'ctx-checkout', '--reason', 'wrong day']);
    expect(rejected.code).toBe(0);
    const tasks = (await world.change('ctx-checkout')).stages[0]?.tasks;
    expect(tasks?.[1]?.decisions).toMatchObject([{ verdict: 'reject', reason: 'wrong day' }]);
  });

  it.each([
    [['approve', 'ctx-nobody', '--reason', 'r'], {}, /answered 404: there is no change ctx-nobody/],
    [['approve', 'nobody-1', '--reason', 'r'], {}, /None of the newest 200 changes begins with nobody-1/],
    [
      ['approve', 'ctx-serv', '--reason', 'r'],
      { LYNCEUS_TOKEN: TOKENS.READER },
      /answered 403: the token of reader may not decide/,
    ],
    [
      ['approve', 'ctx-serv', '--reason', 'r'],
      { LYNCEUS_TOKEN: '' },
      /answered 401: send Authorization: Bearer with an API token/,
    ],
    [
      ['changes'],
      { LYNCEUS_SERVER: 'http://127.0.0.1:1' },
      /^http:\/\/127\.0\.0\.1:1 cannot be reached: ECONNREFUSED\. Is the service running there\? \(--server\)/,
    ],
    [['changes'], { LYNCEUS_SERVER: 'not a url' }, /^not a url cannot be reached: ERR_INVALID_URL/],
  ] as [string[], Record<string, string>, RegExp][])('%j with %j fails and says why', async (args, env, message) => {
    const { code, err } = await remote(args, env);
    expect(err).toMatch(message);
    expect(code).toBe(1);
    expect(err).not.toContain(TOKENS.APPROVER);
  });
});

describe('migrate', () => {
  it('brings a new and an old store up to date', async () => {
    const env = { LYNCEUS_DATA_DIR: join(folder, 'migrated') };
    for (let time = 0; time < 2; time++)
      expect(await lynceus(['migrate'], env)).toMatchObject({ code: 0, out: 'The sqlite store is up to date.\n' });
  });
});

describe('backup', () => {
  it('says what to do where there is nothing to copy', async () => {
    const nothing = await lynceus(['backup', join(folder, 'x.db')], { LYNCEUS_DATA_DIR: join(folder, 'no-data') });
    expect(nothing.code).toBe(1);
    expect(nothing.err).toMatch(/^There is no database at .*no-data\/lynceus\.db/);
    const postgres = await lynceus(['backup', join(folder, 'x.db')], { DATABASE_URL: 'postgres://canary@db/lynceus' });
    expect(postgres).toMatchObject({ code: 64, err: 'The data is in PostgreSQL: back it up with pg_dump.\n' });
  });
});
