import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reportedFacts, reportedSteps } from '../../src/answers/journey.ts';
import type { Report } from '../../src/events/report.ts';
import { inOrder, type JoinKeys, joinReports } from '../../src/events/report-join.ts';

const SOURCE = '1'.repeat(40);
const MANIFEST = '2'.repeat(40);
const OTHER_MANIFEST = '3'.repeat(40);
const DIGEST = `sha256:${'a'.repeat(64)}`;
const KEYS: JoinKeys = {
  changes: ['ctx'],
  project: 'shop',
  service: 'checkout',
  commits: [MANIFEST],
  digests: [],
  pullRequests: [],
};

const at = (minute: number) => new Date(Date.UTC(2026, 2, 2, 12, minute)).toISOString();

let made = 0;
function report(kind: Report['kind'], state: Report['state'], minute: number, more: Partial<Report> = {}): Report {
  const id = `r${++made}`;
  return {
    id,
    source: 'ci',
    type: 't',
    kind,
    state,
    at: at(minute),
    heardAt: at(minute),
    run: `${kind} of ${id}`,
    ...more,
  };
}

const ADA = { name: 'Ada', login: 'ada' };
const own = { service: 'checkout', commit: SOURCE };
const pullRequest = { url: 'https://github.com/acme/deploy/pull/412', key: 'github.com/acme/deploy/412', number: 412 };

/** From the commit to what the delivery system deploys. */
const JOURNEY: Report[] = [
  report('build', 'queued', 0, { ...own, run: 'build', author: ADA, title: 'Retry card timeouts' }),
  report('build', 'started', 1, { ...own, run: 'build' }),
  report('build', 'finished', 6, { ...own, run: 'build' }),
  report('image', 'finished', 8, { ...own, digest: DIGEST, image: 'ghcr.io/acme/checkout', version: '1.8.2' }),
  report('manifest', 'finished', 9, { ...own, manifestCommit: MANIFEST, pullRequest, run: 'manifest' }),
  report('pull-request', 'started', 9, { run: 'pr', pullRequest }),
  report('pull-request', 'finished', 40, { run: 'pr', pullRequest: { ...pullRequest, mergedBy: 'lin' } }),
];

/** Of the same repository or of the same words, but of other changes. */
const STRANGERS: Report[] = [
  report('build', 'failed', 3, { service: 'search', commit: SOURCE }),
  report('build', 'failed', 3, { service: 'checkout', commit: '4'.repeat(40) }),
  report('manifest', 'finished', 50, { ...own, manifestCommit: OTHER_MANIFEST }),
  report('image', 'finished', 8, { service: 'checkout', image: 'ghcr.io/acme/checkout', version: '1.8.2' }),
  report('build', 'failed', 4, { ...own, change: 'another' }),
];

describe('the journey of a change', () => {
  it('is put together by commit and digest, with its author and the waits in between', () => {
    const { reports } = joinReports(KEYS, [...STRANGERS, ...JOURNEY]);
    expect(new Set(reports)).toEqual(new Set(JOURNEY));
    const facts = reportedFacts(reports);
    expect(facts).toMatchObject({
      author: ADA,
      title: 'Retry card timeouts',
      version: '1.8.2',
      commit: { id: SOURCE },
      pr: { text: 'PR 412', url: pullRequest.url },
      createdAt: at(0),
    });
    expect(facts?.steps).toMatchObject([
      { key: 'build', state: 'passed', startedAt: at(1), endedAt: at(6), human: false },
      {
        key: 'image',
        state: 'passed',
        startedAt: at(6),
        endedAt: at(8),
        detail: expect.stringContaining('checkout:1.8.2@sha256:'),
      },
      {
        key: 'manifest',
        state: 'passed',
        startedAt: at(8),
        endedAt: at(9),
        detail: expect.stringContaining('2222222'),
      },
      {
        key: 'review',
        state: 'passed',
        startedAt: at(9),
        endedAt: at(40),
        human: true,
        detail: 'PR 412 merged by lin',
      },
    ]);
  });

  it('is the same whatever order its reports come in, and however often', () => {
    const expected = reportedFacts(joinReports(KEYS, inOrder(JOURNEY)).reports);
    const all = [...JOURNEY, ...STRANGERS];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.array(fc.constantFrom(...all)),
        (some, again) => {
          // The store keeps one of each id.
          const kept = [...new Map([...some, ...again].map((one) => [one.id, one])).values()];
          expect(reportedFacts(joinReports(KEYS, kept).reports)).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('of any reports at all never breaks, and says the same in any order', () => {
    const some = fc.constantFrom;
    const any: fc.Arbitrary<Report> = fc.record(
      {
        id: fc.uuid(),
        source: some('ci'),
        type: some('t'),
        kind: some('build', 'image', 'manifest', 'pull-request', 'test', 'deploy', 'incident', 'pipeline', 'task'),
        state: some('queued', 'started', 'finished', 'failed', 'cancelled'),
        at: some(at(0), at(1), at(2)),
        heardAt: some(at(3)),
        run: some('r', 's'),
        partOf: some('r', 'p'),
        service: some('checkout', 'Checkout', 'search'),
        commit: some(SOURCE, MANIFEST),
        manifestCommit: some(MANIFEST, OTHER_MANIFEST),
        digest: some(DIGEST),
        chain: some('c'),
        stage: some('dev'),
        cluster: some('eu-1', 'eu-2'),
        detail: fc.string(),
      },
      { requiredKeys: ['id', 'source', 'type', 'kind', 'state', 'at', 'heardAt', 'run'] },
    ) as fc.Arbitrary<Report>;
    fc.assert(
      fc.property(fc.uniqueArray(any, { selector: ({ id }) => id, maxLength: 12 }), (reports) => {
        const forwards = joinReports(KEYS, reports).reports;
        const backwards = joinReports(KEYS, reports.toReversed()).reports;
        expect(backwards).toEqual(forwards);
        expect(reportedFacts(backwards)).toEqual(reportedFacts(forwards));
      }),
      { numRuns: 300 },
    );
  });

  it('tells at which step the build failed', () => {
    const run = { ...own, run: 'b', step: { name: 'go test', number: 2, of: 4 } };
    const [build] = reportedSteps([
      report('build', 'started', 0, { ...own, run: 'b' }),
      report('build', 'failed', 3, run),
    ]);
    expect(build).toMatchObject({ state: 'failed', detail: 'step 2 of 4: go test' });
  });

  it('tells by the tasks of a pipeline where that failed', () => {
    const [build] = reportedSteps([
      report('pipeline', 'failed', 3, { run: 'p', partOf: 'p' }),
      report('task', 'failed', 2, { run: 't', partOf: 'p', step: { name: 'push' } }),
    ]);
    expect(build).toMatchObject({ key: 'build', state: 'failed', detail: 'push' });
  });

  it('shows no success where one of two ends of the same moment was a failure', () => {
    const ends = [report('build', 'failed', 3, { run: 'b' }), report('build', 'finished', 3, { run: 'b' })];
    for (const order of [ends, ends.toReversed()]) expect(reportedSteps(inOrder(order))[0]?.state).toBe('failed');
  });

  it('calls what never ended "no signal" once something later has happened, not running', () => {
    const [build] = reportedSteps([
      report('build', 'started', 0, { run: 'b' }),
      report('image', 'finished', 5, { digest: DIGEST }),
    ]);
    expect(build).toMatchObject({ state: 'unknown', detail: expect.stringMatching(/^no signal/) });
  });

  it('says how long a step waited that tells when it began', () => {
    const steps = reportedSteps([
      report('build', 'finished', 5, { run: 'b' }),
      report('image', 'started', 19, { run: 'i' }),
      report('image', 'finished', 20, { run: 'i' }),
    ]);
    expect(steps[1]?.detail).toBe('waited 14 min before');
  });

  it('tells deployments and tests of others by stage and cluster', () => {
    const steps = reportedSteps([
      report('deploy', 'finished', 5, { stage: 'prod', cluster: 'eu-1' }),
      report('deploy', 'failed', 6, { stage: 'prod', cluster: 'eu-2' }),
      report('test', 'finished', 7, { stage: 'prod' }),
    ]);
    expect(steps.map(({ stage, key, cluster, state }) => [stage, key, cluster, state])).toEqual([
      ['prod', 'sync', 'eu-1', 'passed'],
      ['prod', 'sync', 'eu-2', 'failed'],
      ['prod', 'test', undefined, 'passed'],
    ]);
  });

  it('of more places than anybody has tells some, and each that failed', () => {
    const many = Array.from({ length: 3_000 }, (_, n) =>
      report('deploy', n === 2_900 ? 'failed' : 'finished', 5, { stage: `stage-${n}`, detail: 'd'.repeat(300) }),
    );
    const steps = reportedSteps(many);
    expect(steps).toHaveLength(200);
    expect(steps.filter(({ state }) => state === 'failed')).toMatchObject([{ stage: 'stage-2900' }]);
  });

  it('counts attempts, of which the newest is what is told', () => {
    const steps = reportedSteps([
      report('build', 'failed', 1, { run: 'a' }),
      report('build', 'finished', 9, { run: 'b' }),
    ]);
    expect(steps).toMatchObject([{ key: 'build', state: 'passed', attempt: 2 }]);
  });
});
