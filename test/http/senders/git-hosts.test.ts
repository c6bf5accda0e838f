import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { azureDevOpsSender } from '../../../src/http/senders/azure-devops.ts';
import { bitbucketSender } from '../../../src/http/senders/bitbucket.ts';
import { giteaSender } from '../../../src/http/senders/gitea.ts';
import { githubSender } from '../../../src/http/senders/github.ts';
import { gitlabSender } from '../../../src/http/senders/gitlab.ts';
import type { WebhookSender } from '../../../src/http/senders/sender.ts';
import {
  BODIES,
  fromAzure,
  fromBitbucket,
  fromGitea,
  fromGitHub,
  fromGitLab,
  type Headers,
  SECRETS,
  signedByGitLab,
} from '../../support/git-webhooks.ts';

const NOW = new Date('2026-11-21T10:00:00.000Z');
const clock = { now: () => NOW };
const OLD = 'old-secret-that-is-being-replaced';
const COMMIT = '1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c';

const source = (host: string, site: string, ...tokens: string[]) => ({
  host,
  tokens: tokens.map((token) => new Secret(token)),
  serves: (url: string) => url.startsWith(`https://${site}/`),
});
const SENDERS = {
  github: githubSender({ sources: [source('hub', 'github.com', OLD, SECRETS.github)] }),
  gitlab: gitlabSender({ clock, sources: [source('lab', 'gitlab.example.com', SECRETS.gitlab, SECRETS.signing)] }),
  gitea: giteaSender({ sources: [source('tea', 'gitea.example.com', OLD, SECRETS.gitea)] }),
  azure: azureDevOpsSender({ sources: [source('azure', 'dev.azure.com', OLD, SECRETS.azure)] }),
  bitbucket: bitbucketSender({ sources: [source('bucket', 'bitbucket.org', OLD, SECRETS.bitbucket)] }),
};

const who = (sender: WebhookSender, headers: Headers, body: string | Buffer) =>
  sender.authenticate({ headers, rawBody: Buffer.from(body) })?.source;
const told = (sender: WebhookSender, host: string, headers: Headers, body: unknown) =>
  sender.translate(host, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), NOW, headers);
const targets = (translation: ReturnType<typeof told>) =>
  translation.ok ? translation.event.data['targets'] : translation.code;

const pullRequest = (action: string, more: object = {}) => ({
  action,
  pull_request: { number: 7 },
  repository: { clone_url: 'https://github.com/acme/deploy.git', default_branch: 'main' },
  ...more,
});

describe('who sends for GitHub', () => {
  const body = JSON.stringify(pullRequest('opened'));

  it('is told by the signature over the bytes, by the new secret as well as the old', () => {
    expect(who(SENDERS.github, fromGitHub('pull_request', body), body)).toBe('hub');
    const only = githubSender({ sources: [source('hub', 'github.com', SECRETS.github)] });
    expect(who(only, fromGitHub('pull_request', body), body)).toBe('hub');
  });

  it('is nobody when one bit is different, or the signature is SHA-1', () => {
    const headers = fromGitHub('pull_request', body);
    const flipped = Buffer.from(body);
    flipped[10] = (flipped[10] ?? 0) ^ 1;
    expect(who(SENDERS.github, headers, flipped)).toBeUndefined();
    const { 'x-hub-signature-256': _, ...sha1 } = headers;
    expect(who(SENDERS.github, sha1, body)).toBeUndefined();
    for (const odd of ['', 'sha256=', `sha256=${'0'.repeat(63)}`, `sha1=${'0'.repeat(64)}`])
      expect(who(SENDERS.github, { ...headers, 'x-hub-signature-256': odd }, body)).toBeUndefined();
  });

  it('is nobody where no secret is configured', () => {
    const none = githubSender({ sources: [source('hub', 'github.com')] });
    expect(who(none, fromGitHub('pull_request', body), body)).toBeUndefined();
    // Then strangers cannot make us hold bodies either.
    expect([none.proof, SENDERS.github.proof]).toEqual(['headers', 'body']);
  });
});

describe('who sends for GitLab', () => {
  const body = JSON.stringify(BODIES.gitlab.mergeRequest);
  const minutes = (count: number) => new Date(NOW.getTime() + count * 60_000);
  const signed = signedByGitLab('Merge Request Hook', body, NOW);

  it('is told by the secret token where nothing is signed, and by the signature where it is', () => {
    expect(who(SENDERS.gitlab, fromGitLab('Merge Request Hook'), body)).toBe('lab');
    expect(who(SENDERS.gitlab, signed, body)).toBe('lab');
    expect(
      who(SENDERS.gitlab, { ...signed, 'webhook-signature': `v1,AAAA ${signed['webhook-signature']}` }, body),
    ).toBe('lab');
    expect(who(SENDERS.gitlab, { ...fromGitLab('x'), 'x-gitlab-token': 'another' }, body)).toBeUndefined();
  });

  it('is not told by the token beside a signature that is wrong, where a signing token is configured', () => {
    const both = { ...signed, 'x-gitlab-token': SECRETS.gitlab };
    expect(who(SENDERS.gitlab, both, `${body} `)).toBeUndefined();
    const tokenOnly = gitlabSender({ clock, sources: [source('lab', 'gitlab.example.com', SECRETS.gitlab)] });
    expect(who(tokenOnly, both, body)).toBe('lab');
  });

  it('takes a signing token for a key alone, never as the secret token itself', () => {
    expect(who(SENDERS.gitlab, { 'x-gitlab-token': SECRETS.signing }, body)).toBeUndefined();
  });

  it.each([
    [-5, 'lab'],
    [5, 'lab'],
    [-6, undefined],
    [6, undefined],
  ])('signed %i minutes from now is %s', (count, expected) => {
    expect(who(SENDERS.gitlab, signedByGitLab('Push Hook', body, minutes(count)), body)).toBe(expected);
  });

  it('binds id and time to the signature', () => {
    expect(who(SENDERS.gitlab, { ...signed, 'webhook-id': 'another' }, body)).toBeUndefined();
    const later = String(Number(signed['webhook-timestamp']) + 1);
    expect(who(SENDERS.gitlab, { ...signed, 'webhook-timestamp': later }, body)).toBeUndefined();
  });
});

describe('who sends for the others', () => {
  it('is told by the signature of Gitea, and by that of Forgejo where there are two', () => {
    const body = JSON.stringify(BODIES.gitea.push);
    expect(who(SENDERS.gitea, fromGitea('push', body), body)).toBe('tea');
    const forgejo = fromGitea('push', body, 'forgejo');
    expect(who(SENDERS.gitea, forgejo, body)).toBe('tea');
    expect(who(SENDERS.gitea, { ...forgejo, 'x-forgejo-signature': '0'.repeat(64) }, body)).toBeUndefined();
    expect(who(SENDERS.gitea, fromGitea('push', body), `${body}\n`)).toBeUndefined();
  });

  it('is told by the password of Azure DevOps, whatever the name', () => {
    expect(who(SENDERS.azure, fromAzure(), '')).toBe('azure');
    expect(who(SENDERS.azure, fromAzure(OLD, ''), '')).toBe('azure');
    for (const wrong of ['Basic', 'Basic !!!!', `Bearer ${SECRETS.azure}`, `Basic ${'QQ'.repeat(5_000)}`])
      expect(who(SENDERS.azure, { authorization: wrong }, '')).toBeUndefined();
    expect(who(SENDERS.azure, fromAzure('a wrong password'), '')).toBeUndefined();
    expect(who(SENDERS.azure, {}, '')).toBeUndefined();
  });

  it('is told by the signature of Bitbucket, and is nobody without one', () => {
    const body = JSON.stringify(BODIES.bitbucket.push);
    const headers = fromBitbucket('repo:push', body);
    expect(who(SENDERS.bitbucket, headers, body)).toBe('bucket');
    expect(who(SENDERS.bitbucket, headers, `${body} `)).toBeUndefined();
    const { 'x-hub-signature': _, ...unsigned } = headers;
    expect(who(SENDERS.bitbucket, unsigned, body)).toBeUndefined();
  });
});

describe('what a webhook asks to look at', () => {
  const { gitlab, gitea, azure, bitbucket } = BODIES;
  const repository = pullRequest('').repository;
  const lab = fromGitLab;
  const tea = (type: string) => fromGitea(type, '');
  const bucket = (event: string) => fromBitbucket(event, '');
  const hub = (event: string) => fromGitHub(event, '');

  it.each([
    ['a review at GitHub', 'github', 'hub', hub('pull_request_review'), pullRequest('submitted'), ['#7']],
    ['a push to GitHub', 'github', 'hub', hub('push'), { ref: 'refs/heads/a/b', repository }, ['@a/b']],
    [
      'a comment at GitHub',
      'github',
      'hub',
      hub('issue_comment'),
      { issue: { number: 7, pull_request: {} }, repository },
      ['#7'],
    ],
    ['a status at GitHub', 'github', 'hub', hub('status'), { sha: COMMIT, context: 'ci', repository }, [`:${COMMIT}`]],
    [
      'checks at GitHub',
      'github',
      'hub',
      hub('check_suite'),
      {
        action: 'completed',
        check_suite: { head_sha: COMMIT, pull_requests: [{ number: 7 }, { number: 8 }] },
        repository,
      },
      ['#7', '#8'],
    ],
    [
      'checks of a fork',
      'github',
      'hub',
      hub('check_run'),
      { action: 'completed', check_run: { head_sha: COMMIT, name: 'ci', pull_requests: [] }, repository },
      [`:${COMMIT}`],
    ],
    ['a greeting', 'github', 'hub', hub('ping'), { zen: 'Design for failure.', hook: {} }, ['?']],
    ['a push to GitLab', 'gitlab', 'lab', lab('Push Hook'), gitlab.push, ['@stage/staging']],
    ['a system hook', 'gitlab', 'lab', lab('System Hook'), gitlab.push, ['@stage/staging']],
    ['an approval at GitLab', 'gitlab', 'lab', lab('Merge Request Hook'), gitlab.mergeRequest, ['#7']],
    ['a comment at GitLab', 'gitlab', 'lab', lab('Note Hook'), gitlab.note, ['#7']],
    ['a pipeline', 'gitlab', 'lab', lab('Pipeline Hook'), gitlab.pipeline, [`:${COMMIT}`]],
    ['a push to Gitea', 'gitea', 'tea', tea('push'), gitea.push, ['@main']],
    ['a review at Gitea', 'gitea', 'tea', tea('pull_request_review_approved'), gitea.review, ['#7']],
    ['a comment at Gitea', 'gitea', 'tea', tea('issue_comment'), gitea.comment, ['#7']],
    ['a status at Gitea', 'gitea', 'tea', tea('status'), gitea.status, [`:${COMMIT}`]],
    ['a push to Azure', 'azure', 'azure', fromAzure(), azure.push, ['@stage/staging']],
    ['a vote at Azure', 'azure', 'azure', fromAzure(), azure.voted, ['#7']],
    ['a comment at Azure', 'azure', 'azure', fromAzure(), azure.comment, ['#7']],
    ['a push to Bitbucket', 'bitbucket', 'bucket', bucket('repo:push'), bitbucket.push, ['@stage/staging', '@gone']],
    ['an approval at Bitbucket', 'bitbucket', 'bucket', bucket('pullrequest:approved'), bitbucket.approved, ['#7']],
    [
      'a status at Bitbucket',
      'bitbucket',
      'bucket',
      bucket('repo:commit_status_updated'),
      bitbucket.status,
      [`:${COMMIT}`],
    ],
  ] as const)('%s', (_what, kind, host, headers, body, expected) => {
    const translation = told(SENDERS[kind], host, headers, body);
    expect(targets(translation)).toEqual(expected);
    if (!translation.ok) return;
    expect(translation.jobs.map(({ queue }) => queue)).toEqual(expected.map(() => 'git'));
    expect(translation.jobs.every(({ payload }) => payload?.['host'] === host)).toBe(true);
  });

  it.each([
    ['an assignment', 'github', 'hub', hub('pull_request'), pullRequest('assigned')],
    ['a tag', 'github', 'hub', hub('push'), { ref: 'refs/tags/v1', repository }],
    ['a comment on an issue', 'github', 'hub', hub('issue_comment'), { issue: { number: 7 }, repository }],
    ['our own status', 'github', 'hub', hub('status'), { sha: COMMIT, context: 'lynceus/evaluation', repository }],
    ['a check that runs', 'github', 'hub', hub('check_run'), { action: 'created', check_run: {}, repository }],
    ['an event that does not exist yet', 'github', 'hub', hub('quantum_merge'), 'not even JSON'],
    ['an issue of GitLab', 'gitlab', 'lab', lab('Issue Hook'), {}],
    ['a system hook about a user', 'gitlab', 'lab', lab('System Hook'), { event_name: 'user_create' }],
    ['a comment on a commit', 'gitlab', 'lab', lab('Note Hook'), { object_kind: 'note', project: gitlab.push.project }],
    [
      'a running pipeline',
      'gitlab',
      'lab',
      lab('Pipeline Hook'),
      { ...gitlab.pipeline, object_attributes: { status: 'running' } },
    ],
    ['an assignment at Gitea', 'gitea', 'tea', tea('pull_request_assign'), gitea.review],
    ['a work item', 'azure', 'azure', fromAzure(), { eventType: 'workitem.created' }],
    ['a fork', 'bitbucket', 'bucket', bucket('repo:fork'), {}],
  ] as const)('nothing: %s', (_what, kind, host, headers, body) => {
    expect(told(SENDERS[kind], host, headers, body)).toMatchObject({ ok: false, status: 202, code: 'ignored' });
  });

  it('with nothing personal in the log, and no password of a URL', () => {
    const vote = told(SENDERS.azure, 'azure', fromAzure(), azure.voted);
    const text = JSON.stringify(vote);
    expect(text).not.toMatch(/Ada|acme@/);
    expect(vote).toMatchObject({
      event: {
        source: 'azure-devops/azure',
        subject: 'https://dev.azure.com/acme/shop/_git/deploy',
        key: `azure-devops:azure:${azure.voted.id}`,
        data: { host: 'azure', event: 'git.pullrequest.updated', delivery: azure.voted.id },
      },
      jobs: [{ key: 'azure/acme/shop/_git/deploy#7', payload: { number: 7, heardAt: NOW.toISOString() } }],
    });
  });

  it('the longest branch has a key that the store takes', () => {
    const ref = `refs/heads/${'\u{1f600}'.repeat(250)}`;
    const push = told(SENDERS.gitea, 'tea', tea('push'), { ...gitea.push, ref });
    expect(push).toMatchObject({ jobs: [{ key: expect.stringMatching(/^[0-9a-f]{64}$/) }] });
  });

  it('the default branch is marked, because applications follow it as HEAD', () => {
    const push = told(SENDERS.gitea, 'tea', tea('push'), gitea.push);
    expect(push).toMatchObject({ jobs: [{ payload: { branch: 'main', isDefault: true } }] });
  });
});

describe('a webhook is refused', () => {
  it('when it is about a repository that its host does not serve', () => {
    const foreign = pullRequest('opened', { repository: { clone_url: 'https://evil.example/acme/deploy.git' } });
    expect(told(SENDERS.github, 'hub', fromGitHub('pull_request', ''), foreign)).toMatchObject({
      ok: false,
      status: 422,
      code: 'not-served',
      detail:
        'https://evil.example/acme/deploy.git is not a repository of the Git host "hub": compare its url in lynceus.yaml',
    });
  });

  it.each(['javascript:alert(1)', 'https://', 'https://github.com/', '/acme/deploy', 'file:///etc/passwd'])(
    'when the address of its repository is %s',
    (clone_url) => {
      const odd = pullRequest('opened', { repository: { clone_url } });
      expect(told(SENDERS.github, 'hub', fromGitHub('pull_request', ''), odd)).toMatchObject({ status: 422 });
    },
  );

  it('when it is a form, with what to set', () => {
    const headers = { ...fromGitHub('push', ''), 'content-type': 'application/x-www-form-urlencoded' };
    expect(told(SENDERS.github, 'hub', headers, 'payload=%7B%7D')).toMatchObject({
      status: 415,
      code: 'unsupported-media-type',
      detail: 'the body is a form; set "Content type" of the webhook to application/json',
    });
  });

  it.each([
    ['{"repository": 1, "repository": 2}', 400, 'duplicate-key'],
    ['{', 400, 'not-json'],
    ['[]', 422, 'unknown-shape'],
    ['{}', 422, 'unknown-shape'],
    [`${'['.repeat(100)}${']'.repeat(100)}`, 400, 'too-deep'],
    [JSON.stringify('x'.repeat(3 * 1024 * 1024)), 413, 'too-large'],
  ])('when its body is %.40s', (body, status, code) => {
    expect(told(SENDERS.github, 'hub', fromGitHub('push', body), body)).toMatchObject({ ok: false, status, code });
  });
});

describe('whatever else arrives', () => {
  type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
  const { gitlab, gitea, azure, bitbucket } = BODIES;
  const github = [
    pullRequest('submitted', { ref: 'refs/heads/main', sha: COMMIT, issue: { number: 7, pull_request: {} } }),
    pullRequest('completed', { check_run: { head_sha: COMMIT, name: 'ci', pull_requests: [{ number: 7 }] } }),
  ];
  const odd: fc.Arbitrary<unknown> = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.string({ unit: 'binary', maxLength: 2_000 }),
    fc.constantFrom(0, -1, 1.5, 1e300, '', '__proto__', 'refs/heads/', 'https://github.com/a/b?c#d', 'branch'),
  );
  /** What a host really sends, with up to three places that are something else. */
  const almost = (bodies: readonly unknown[]) =>
    fc.tuple(fc.constantFrom(...bodies), fc.array(fc.tuple(fc.nat(), odd), { maxLength: 3 })).map(([real, changes]) => {
      const body = JSON.parse(JSON.stringify(real)) as Json;
      for (const [nth, value] of changes) replaceOne(body, nth, value as Json);
      return JSON.stringify(body);
    });

  function replaceOne(body: Json, nth: number, value: Json): void {
    const places: [object, string][] = [];
    const walk = (inner: Json): void => {
      if (typeof inner !== 'object' || inner === null) return;
      for (const [key, child] of Object.entries(inner)) {
        places.push([inner, key]);
        walk(child);
      }
    };
    walk(body);
    const [holder, key] = places[nth % places.length] ?? [];
    if (holder && key !== undefined) Object.assign(holder, { [key]: value });
  }

  it.each([
    ['github', 'hub', github, ['push', 'pull_request', 'issue_comment', 'status', 'check_run', 'ping']],
    ['gitlab', 'lab', Object.values(gitlab), ['Push Hook', 'System Hook']],
    ['gitea', 'tea', Object.values(gitea), ['push', 'pull_request', 'issue_comment', 'status']],
    ['azure', 'azure', Object.values(azure), ['']],
    ['bitbucket', 'bucket', Object.values(bitbucket), ['repo:push', 'pullrequest:x', 'repo:commit_status_created']],
  ] as const)(
    'at %s is something to look at, or refused with a reason, and never more',
    (kind, host, bodies, events) => {
      const sender = SENDERS[kind];
      const raw = fc.oneof(
        { weight: 8, arbitrary: almost(bodies).map((text) => Buffer.from(text)) },
        { weight: 1, arbitrary: fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)) },
      );
      const event = fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(...events) },
        { weight: 1, arbitrary: fc.oneof(fc.constantFrom('__proto__', 'toString'), fc.string({ maxLength: 50 })) },
      );
      let taken = 0;
      fc.assert(
        fc.property(raw, event, fc.string({ maxLength: 150 }), (rawBody, name, text) => {
          const names = ['x-github-event', 'x-gitlab-event', 'x-gitea-event-type', 'x-event-key'];
          const proofs = [
            'x-hub-signature-256',
            'x-hub-signature',
            'x-gitea-signature',
            'x-gitlab-token',
            'authorization',
          ];
          const signed = ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'x-github-delivery'];
          const headers = Object.fromEntries([
            ...names.map((header) => [header, name]),
            ...[...proofs, ...signed].map((header) => [header, text]),
          ]) as Headers;
          expect(sender.authenticate({ headers, rawBody })).toBeUndefined();
          const translation = sender.translate(host, rawBody, NOW, headers);
          if (!translation.ok) {
            expect(translation.detail).not.toBe('');
            return void expect([202, 400, 413, 415, 422]).toContain(translation.status);
          }
          taken += 1;
          expect(JSON.stringify(translation)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
          expect(JSON.stringify(translation.event).length).toBeLessThan(20_000);
          expect(translation.jobs.length).toBeLessThanOrEqual(20);
          for (const { key } of translation.jobs) expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1_024);
        }),
        { numRuns: 2_000 },
      );
      // The property would hold of a wall, too.
      expect(taken).toBeGreaterThan(100);
    },
  );
});
