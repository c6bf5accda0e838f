import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { receiveRoutes } from '../../src/http/receive.ts';
import { gitSenders } from '../../src/http/senders/git-senders.ts';
import { createHttpApp, createHttpServer } from '../../src/http/server.ts';
import { noFailpoints } from '../../src/runtime/failpoint.ts';
import { createLog } from '../../src/runtime/log.ts';
import { createMetrics, type RuntimeMetrics } from '../../src/runtime/metrics.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { BODIES, fromAzure, fromGitHub, fromGitLab, type Headers, SECRETS } from '../support/git-webhooks.ts';
import { expectDocumented } from '../support/openapi.ts';
import { authenticationOfNobody } from '../support/sign-in.ts';

interface Recorded {
  name: string;
  examples: Record<string, unknown>[];
}

const require = createRequire(import.meta.url);
const EDITIONS = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'];
/** Everything that GitHub was ever seen to send, by version of its server. */
const recorded = (edition: string) => require(`@octokit/webhooks-examples/${edition}/index.json`) as Recorded[];
const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/webhooks.md'), 'utf8');

let folder: string;
let store: Store;
let metrics: RuntimeMetrics;
let url: string;
let close: () => Promise<void>;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lynceus-git-webhooks-'));
  store = await openStore({ dataDir: folder });
  metrics = createMetrics(store);
  const tokens: Record<string, string> = {
    github: SECRETS.github,
    gitlab: SECRETS.gitlab,
    'azure-devops': SECRETS.azure,
  };
  const clock = { now: () => new Date('2026-11-21T10:00:00Z') };
  const sourcesOf = (kind: string) =>
    tokens[kind] === undefined
      ? []
      : [{ host: kind, tokens: [new Secret(tokens[kind])], serves: (one: string) => !one.includes('evil') }];
  const router = receiveRoutes({
    store,
    clock,
    senders: gitSenders(sourcesOf, clock),
    authentication: authenticationOfNobody(),
    metrics,
    failpoint: noFailpoints,
  });
  const server = createHttpServer(createHttpApp([router], createLog({ level: 'silent', secrets: [] })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
});

afterAll(async () => {
  await close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function post(kind: string, body: string | Buffer, headers: Headers): Promise<Response> {
  const answer = await fetch(`${url}/webhooks/${kind}`, {
    method: 'POST',
    body: new Uint8Array(Buffer.from(body)),
    headers,
  });
  await expectDocumented('POST', `/webhooks/${kind}`, answer);
  return answer;
}

async function inbox() {
  const all = [];
  for (let afterSeq = 0; ; ) {
    const some = await store.readLog({ stream: 'inbox', afterSeq, limit: 1000 });
    all.push(...some);
    const last = some.at(-1);
    if (!last) return all;
    afterSeq = last.seq;
  }
}

/** What a table row of the page says of an event: that it is used, or that it is ignored. */
function documented(event: string): string | undefined {
  const used = /## What GitHub sends[\s\S]*?\n\n(?<table>\| event[\s\S]*?)\n\n(?<rest>[\s\S]*?)\n## /.exec(
    page,
  )?.groups;
  if (used?.['table']?.includes(`\`${event}\``)) return 'used';
  return used?.['rest']?.includes(`\`${event}\``) ? 'ignored' : undefined;
}

describe('what GitHub was recorded to send', () => {
  it.each(EDITIONS)('%s: signed, all of it is taken, and used or ignored as the page says', async (edition) => {
    const unknown: string[] = [];
    for (const { name, examples } of recorded(edition)) {
      const word = documented(name);
      if (word === undefined) unknown.push(name);
      for (const [nth, example] of examples.entries()) {
        const before = await ignoredSoFar();
        const body = JSON.stringify(example);
        const answer = await post('github', body, fromGitHub(name, body, `${edition}-${name}-${nth}`));
        const what = `${edition} ${name} ${nth}: ${answer.status === 202 ? '' : await answer.text()}`;
        expect(answer.status, what).toBe(202);
        if (word === 'ignored') expect(await ignoredSoFar(), what).toBe(before + 1);
      }
    }
    expect(unknown).toEqual([]);
  });

  it('with one bit flipped, none of it is', async () => {
    for (const { name, examples } of recorded('api.github.com')) {
      for (const [nth, example] of examples.entries()) {
        const body = Buffer.from(JSON.stringify(example));
        const headers = fromGitHub(name, body.toString());
        const at = (nth * 7919) % body.length;
        body[at] = (body[at] ?? 0) ^ (1 << (nth % 8));
        expect((await post('github', body, headers)).status, `${name} ${nth} at byte ${at}`).toBe(401);
      }
    }
  });

  it('leaves small events in the log that name nobody', async () => {
    const events = await inbox();
    expect(events.length).toBeGreaterThan(40);
    for (const { data, source } of events) {
      expect(source).toBe('github/github');
      expect(JSON.stringify(data).length).toBeLessThan(1_000);
      expect(JSON.stringify(data)).not.toMatch(/Codertocat@|octocat@|"login"|avatar/);
    }
    const kinds = new Set(events.map(({ data }) => data['event']));
    expect([...kinds].sort()).toEqual([
      'check_run',
      'check_suite',
      'ping',
      'pull_request',
      'pull_request_review',
      'pull_request_review_thread',
      'push',
      'status',
    ]);
  });
});

async function ignoredSoFar(): Promise<number> {
  const { values } = await metrics.received.get();
  return values.find(({ labels }) => labels['outcome'] === 'ignored')?.value ?? 0;
}

describe('a webhook of a Git host', () => {
  const review = (id: number) =>
    JSON.stringify({
      action: 'submitted',
      review: { id },
      pull_request: { number: 7 },
      repository: { clone_url: 'https://github.example/acme/deploy.git' },
    });
  const count = async () => (await inbox()).length;

  it('is stored once, whichever of delivery and body comes again', async () => {
    const [first, second] = [review(1), review(2)];
    const before = await count();
    expect((await post('github', first, fromGitHub('pull_request_review', first, 'delivery-1'))).status).toBe(202);
    expect((await post('github', first, fromGitHub('pull_request_review', first, 'delivery-1'))).status).toBe(202);
    // The id is not signed: with another one it is still the same.
    expect((await post('github', first, fromGitHub('pull_request_review', first, 'delivery-2'))).status).toBe(202);
    expect(await count()).toBe(before + 1);
    expect((await post('github', second, fromGitHub('pull_request_review', second, 'delivery-3'))).status).toBe(202);
    expect(await count()).toBe(before + 2);
  });

  it('asks for a look at what it names', async () => {
    const body = review(3);
    await post('github', body, fromGitHub('pull_request_review', body, 'delivery-4'));
    const jobs = await store.claim({ limit: 1000, leaseMs: 1, queues: ['git'] });
    expect(jobs.map(({ key }) => key)).toContain('github/acme/deploy.git#7');
  });

  it('as a form is refused with what to set, once it is known who sends it', async () => {
    const form = 'payload=%7B%7D';
    const headers = { ...fromGitHub('push', form), 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await post('github', form, headers);
    expect([answer.status, await answer.json()]).toMatchObject([
      415,
      { code: 'unsupported-media-type', detail: expect.stringContaining('"Content type"') },
    ]);
    expect((await post('github', form, { ...headers, 'x-hub-signature-256': 'x' })).status).toBe(401);
  });

  it('of two megabytes is taken, of four is not', async () => {
    const large = (bytes: number) =>
      JSON.stringify({
        ref: 'refs/heads/main',
        repository: { clone_url: 'https://github.example/acme/deploy.git' },
        commits: [{ added: ['x'.repeat(bytes)] }],
      });
    for (const [bytes, status] of [
      [2_000_000, 202],
      [4_000_000, 413],
    ] as const) {
      const body = large(bytes);
      expect((await post('github', body, fromGitHub('push', body, `large-${bytes}`))).status).toBe(status);
    }
  });

  it('from somebody unknown is answered alike, whatever is wrong, and opens no other door', async () => {
    const body = review(9);
    const gitlab = JSON.stringify(BODIES.gitlab.push);
    const answers = await Promise.all([
      post('github', body, {}),
      post('github', body, { ...fromGitHub('pull_request_review', body), 'x-hub-signature-256': 'sha256=00' }),
      post('gitlab', gitlab, { ...fromGitLab('Push Hook'), 'x-gitlab-token': SECRETS.github }),
      post('gitea', body, fromGitHub('pull_request_review', body)),
      post('azure-devops', '{}', fromAzure(SECRETS.gitlab)),
      post('bitbucket', body, { 'x-hub-signature': fromGitHub('push', body)['x-hub-signature-256'] ?? '' }),
    ]);
    const said = await Promise.all(
      answers.map(async (one) => [one.status, ((await one.json()) as { detail: string }).detail]),
    );
    expect([...new Set(said.map(String))]).toEqual(['401,the credentials of this webhook are missing or wrong']);
  });

  it('about a repository of somebody else is refused', async () => {
    const body = review(10).replace('github.example', 'evil.example');
    const answer = await post('github', body, fromGitHub('pull_request_review', body, 'delivery-9'));
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, 'not-served']);
  });
});
