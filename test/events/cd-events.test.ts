import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evolve, noSequence } from '../../src/engine/sequence.ts';
import { readArtifact } from '../../src/events/artifact-url.ts';
import { type CdEvent, cdEventsOf, inCloudEvent } from '../../src/events/cd-events.ts';
import { type Envelope, fromEnvelope } from '../../src/events/codec.ts';
import { readPullRequestUrl } from '../../src/events/pull-request-url.ts';
import { commitPurl, imagePurl } from '../../src/events/purl.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import { assertCdEvent } from '../support/cd-events.ts';
import { minute, planned, started, step, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const DIGEST = `sha256:${'c'.repeat(64)}`;
const URL = 'https://lynceus.example.com/changes/';
const words = { source: 'lynceus://lynceus.example.com', linkTo: (change: string) => URL + change };

/** All that a history tells others, each held to the schema of its type. */
function tell(history: readonly SequenceEvent[]): CdEvent[] {
  let state = noSequence;
  const told = history.flatMap((event, at) => {
    const events = cdEventsOf(event, state, { ...words, eventId: `event-${at}` });
    state = evolve(state, event);
    return events;
  });
  for (const event of told) assertCdEvent(event);
  return told;
}

const typesOf = (events: readonly CdEvent[]) =>
  events.map(({ context }) => context.type.replace(/^dev\.cdevents\.(.+)\.\d+\.\d+\.\d+$/, '$1'));

describe('what we tell in CDEvents', () => {
  it('is a pipeline run with its tasks, tests and deployment', () => {
    const events = tell([
      triggered({ previousRevision: '1'.repeat(40) }),
      started,
      taskTriggered(0, 'sync'),
      taskFinished('sync', 'pass'),
      taskTriggered(1, 'rollout'),
      taskFinished('rollout', 'pass', { data: { images: ['redis:7', `ghcr.io/acme/checkout:1.8.2@${DIGEST}`] } }),
      taskTriggered(2, 'test'),
      taskFinished('test', 'fail', { message: 'p95 612 ms > 500 ms' }),
      {
        name: 'sequence.finished',
        at: minute(9),
        data: { status: 'succeeded', result: 'fail', reason: 'failed', message: 'test failed' },
      },
    ]);
    expect(typesOf(events)).toEqual([
      ...['pipelinerun.queued', 'pipelinerun.started', 'taskrun.started', 'taskrun.finished', 'taskrun.started'],
      ...[
        'taskrun.finished',
        'service.upgraded',
        'testsuiterun.started',
        'testsuiterun.finished',
        'pipelinerun.finished',
      ],
    ]);
    expect(events[6]?.subject).toMatchObject({
      id: 'checkout',
      content: {
        environment: { id: 'staging' },
        artifactId: `pkg:oci/checkout@sha256%3A${'c'.repeat(64)}?repository_url=ghcr.io%2Facme%2Fcheckout&tag=1.8.2`,
      },
    });
    expect(events[8]?.subject.content).toMatchObject({ outcome: 'failure', reason: 'p95 612 ms > 500 ms' });
    expect(events[9]?.subject.content).toMatchObject({ outcome: 'failure', errors: 'test failed' });
  });

  it('is one chain: the change, and from each event a way back to the one before', () => {
    const events = tell([triggered(), started, taskTriggered(0, 'sync'), taskFinished('sync', 'pass')]);
    expect(new Set(events.map(({ context }) => context.chainId))).toEqual(new Set(['ctx']));
    const ids = events.map(({ context }) => context.id);
    const from = events.slice(1).map(({ context }) => JSON.stringify(context.links));
    for (const [at, link] of from.entries()) expect(link).toContain(ids[at]);
    const [next] = tell([triggered({ promotedBy: { sequence: 'seq', pullRequest: 7 } })]);
    expect(next?.context.links).toEqual([{ linkType: 'RELATION', linkKind: 'TRIGGER', target: { contextId: ids[1] } }]);
  });

  it('is a deployment at first, and a roll-back where it goes back', () => {
    const deploy = [started, taskTriggered(0, 'rollout'), taskFinished('rollout', 'pass')];
    expect(typesOf(tell([triggered(), ...deploy]))).toContain('service.deployed');
    const back = { sequence: 's', revision: '1'.repeat(40), to: '2'.repeat(40), pullRequest: 3 };
    expect(typesOf(tell([triggered({ rollsBack: back }), ...deploy]))).toContain('service.rolledback');
    const sync = tell([
      triggered(),
      started,
      taskTriggered(0, 'rollback'),
      taskFinished('rollback', 'pass', { data: { by: 'sync', to: '2'.repeat(40) } }),
    ]);
    expect(sync.at(-1)?.subject.content).toMatchObject({ artifactId: `pkg:generic/checkout@${'2'.repeat(40)}` });
  });

  it('is the pull request of a promotion, opened once and merged', () => {
    const memo = { pullRequest: 412, url: 'https://github.com/acme/deploy/pull/412' };
    const blocker = { kind: 'review' as const, sentence: 'PR 412 needs 1 of identity' };
    const waiting: SequenceEvent = {
      name: 'task.waiting',
      at: minute(3),
      data: { task: 'seq.1-promotion', blocker, memo },
    };
    const events = tell([
      ...planned(step('promotion')),
      taskTriggered(1, 'promotion'),
      waiting,
      waiting,
      taskFinished('promotion', 'pass', { data: { ...memo, to: 'production', mergeSha: '9'.repeat(40) } }),
    ]);
    expect(typesOf(events).filter((type) => type.startsWith('change.'))).toEqual(['change.created', 'change.merged']);
    expect(events.find(({ context }) => context.type.includes('change.merged'))?.subject).toMatchObject({
      id: memo.url,
      content: { repository: { id: 'https://git.example.com/shop.git' } },
    });
  });

  it('does not say that it failed what was stopped', () => {
    const end = { status: 'aborted', result: 'fail', reason: 'superseded', message: 'a newer change came' } as const;
    const events = tell([triggered(), started, { name: 'sequence.finished', at: minute(1), data: end }]);
    expect(events.at(-1)?.subject.content).toMatchObject({ outcome: 'cancel' });
  });

  it('is valid for every log that a released version wrote, and the same each time', () => {
    const folder = join(import.meta.dirname, '../replay/streams');
    const streams = readdirSync(folder).flatMap((file) =>
      Object.values(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, { events: Envelope[] }>),
    );
    const histories = streams.map(({ events }) => events.flatMap((event) => fromEnvelope(event) ?? []));
    const told = histories.map(tell);
    expect(told.flat().length).toBeGreaterThan(50);
    expect(histories.map(tell)).toEqual(told);
    const ids = told.flat().map(({ context }) => context.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('travels as a CloudEvent under the id of its context', () => {
    const [event] = tell([triggered()]);
    expect(event && inCloudEvent(event)).toMatchObject({
      specversion: '1.0',
      id: event?.context.id,
      type: 'dev.cdevents.pipelinerun.queued.0.3.0',
      data: { context: { specversion: '0.5.1' }, subject: { content: { uri: `${URL}ctx` } } },
    });
  });
});

describe('names of artifacts', () => {
  it.each([
    [`ghcr.io/acme/checkout:1.8.2@${DIGEST}`, { image: 'ghcr.io/acme/checkout', tag: '1.8.2', digest: DIGEST }],
    ['registry:5000/checkout', { image: 'registry:5000/checkout' }],
    [
      `pkg:oci/checkout@${encodeURIComponent(DIGEST)}?repository_url=ghcr.io/acme/checkout&tag=1`,
      { image: 'ghcr.io/acme/checkout', tag: '1', digest: DIGEST },
    ],
    ['pkg:docker/acme/checkout@1.8.2', { image: 'acme/checkout', tag: '1.8.2' }],
    ['pkg:npm/checkout@1.8.2', {}],
    ['pkg:oci/%E0%A4%A@x', { image: '%E0%A4%A', tag: 'x' }],
    ['checkout@sha256:short', { image: 'checkout' }],
  ])('are read: %s', (text, artifact) => expect(readArtifact(text)).toEqual(artifact));

  it('are written so that they can be read again', () => {
    for (const image of [
      `ghcr.io/acme/checkout:1.8.2@${DIGEST}`,
      'localhost:5000/a:2',
      `ghcr.io/acme/checkout@${DIGEST}`,
    ])
      expect(readArtifact(imagePurl(image))).toEqual(readArtifact(image));
    expect(commitPurl('a/b', 'x')).toBe('pkg:generic/a%2Fb@x');
  });
});

describe('addresses of pull requests', () => {
  it.each([
    ['https://github.com/Acme/Deploy/pull/412', 'github.com/acme/deploy/412'],
    ['https://github.com/acme/deploy/pull/412/files', 'github.com/acme/deploy/412'],
    ['https://gitlab.example.com/a/b/c/-/merge_requests/5', 'gitlab.example.com/a/b/c/5'],
    ['https://dev.azure.com/org/proj/_git/repo/pullrequest/7', 'dev.azure.com/org/proj/repo/7'],
    ['https://bitbucket.org/team/repo/pull-requests/9', 'bitbucket.org/team/repo/9'],
    ['https://git.example.com:3000/acme/deploy/pulls/3', 'git.example.com:3000/acme/deploy/3'],
  ])('are read: %s', (url, key) => expect(readPullRequestUrl(url)?.key).toBe(key));

  it.each(['javascript:alert(1)', 'https://github.com/acme/deploy', 'https://[', 'ftp://x/a/pull/1'])(
    'are nothing else: %s',
    (url) => expect(readPullRequestUrl(url)).toBeUndefined(),
  );
});
