import { type SandboxArgoCd, startSandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import { createBareRepository } from '../../examples/sandbox/git.ts';
import type { Place } from '../../src/events/application.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import type { GateAnswer } from '../../src/views/gate.ts';
import { type FakePrometheus, startFakePrometheus } from './fake-prometheus.ts';
import { bearer, type HttpWorld, startHttpWorld, story, TOKENS, YEARS } from './http-world.ts';
import { decision, planned, step, taskFinished, taskTriggered } from './sequence.ts';

/** A service for every state in which a change can be asked about. */
export const STATES = {
  waiting: { kind: 'approval', result: 'running' },
  deployed: { kind: 'rollout', result: 'running' },
  good: { kind: 'finished', result: 'pass' },
  doubtful: { kind: 'finished', result: 'warning' },
  bad: { kind: 'finished', result: 'fail' },
  broken: { kind: 'finished', result: 'fail' },
  unjudged: { kind: 'finished', result: 'fail' },
  late: { kind: 'finished', result: 'fail' },
  aborted: { kind: 'finished', result: 'fail' },
  paused: { kind: 'paused', result: 'running' },
} as const;
export type State = keyof typeof STATES;

const finished = (
  result: 'pass' | 'warning' | 'fail',
  reason: 'completed' | 'failed' | 'aborted' | 'timed-out',
): SequenceEvent => ({
  name: 'sequence.finished',
  at: '2026-03-02T11:00:00.000Z',
  data: {
    status: reason === 'aborted' ? 'aborted' : reason === 'timed-out' ? 'errored' : 'succeeded',
    result,
    reason,
    message: `it ended as ${result}`,
  },
});
const evaluated = (changes: object): SequenceEvent[] => [
  ...planned(step('rollout')),
  taskTriggered(1, 'evaluation'),
  taskFinished('evaluation', 'fail', changes),
];
const approvalOpen = () => [...planned(step('approval')), taskTriggered(1, 'approval', YEARS)];

const HISTORIES: Record<State, () => SequenceEvent[]> = {
  waiting: approvalOpen,
  deployed: () => [...planned(step('rollout')), taskTriggered(1, 'rollout', YEARS)],
  good: () => [...planned(step('rollout')), finished('pass', 'completed')],
  doubtful: () => [...planned(step('rollout')), finished('warning', 'completed')],
  bad: () => [
    ...planned(step('checks')),
    taskTriggered(1, 'checks'),
    taskFinished('checks', 'fail'),
    finished('fail', 'failed'),
  ],
  broken: () => [...evaluated({}), finished('fail', 'failed')],
  unjudged: () => [...evaluated({ data: { evaluation: { judged: false } } }), finished('fail', 'failed')],
  late: () => [...evaluated({ status: 'errored' }), finished('fail', 'timed-out')],
  // Says pass on purpose: what did not come to its end must not pass whatever it says.
  aborted: () => [...planned(step('rollout')), finished('pass', 'aborted')],
  paused: () => [...approvalOpen(), decision('pause', { reason: 'the database is being moved' })],
};

/** Evaluates `errors` of the fake Prometheus: up to 0.01 passes, up to 0.05 is a warning. */
const FILES = {
  'delivery.yaml': `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - {name: staging, branch: main, sync: gated, evaluation: {slo: slo.yaml, sli: sli.yaml}}
`,
  'slo.yaml': `spec_version: "1.0"
objectives:
  - {sli: error_rate, pass: [{criteria: ["<=0.01"]}], warning: [{criteria: ["<=0.05"]}], key_sli: true}
  - {sli: other, pass: [{criteria: ["<=1"]}], weight: 9}
total_score: {pass: "96%", warning: "50%"}
`,
  'sli.yaml': `spec_version: "1.0"
indicators:
  error_rate: errors{service="$SERVICE"}
  other: other{service="$SERVICE"}
`,
};

export const VALUES = { pass: 0.001, warning: 0.03, fail: 0.5 } as const;

export interface GateWorld extends Omit<HttpWorld, 'stop'> {
  prometheus: FakePrometheus;
  argocd: SandboxArgoCd;
  /** The commit that every state is about. */
  revision: string;
  /** A commit without delivery.yaml. */
  emptyCommit: string;
  stop(): Promise<void>;
  /** Git asks for another commit, of which no notification comes. */
  push(): string;
  /** What the metrics say of a service from now on; `undefined`: nothing. */
  errors(service: string, rate: number | undefined): void;
  ask(body: object, path?: string): Promise<GateAnswer>;
}

export const placeOf = (service: string): Place => ({ project: 'shop', stage: 'staging', service });

/** The real service, with a repository, a metrics source, and an application `<state>-app` for each state. */
export async function startGateWorld({ gitPollMs = 3_600_000 } = {}): Promise<GateWorld> {
  const prometheus = await startFakePrometheus();
  const repository = createBareRepository('shop');
  const revision = repository.commit({ branch: 'main', files: FILES });
  const emptyCommit = repository.commit({ branch: 'empty', files: { README: 'nothing here yet' } });
  const states = Object.keys(STATES) as State[];
  // Without labels, so that nobody looks at them but the gate.
  const argocd = await startSandboxArgoCd({
    token: TOKENS.ARGOCD_TOKEN,
    timing: { pollMs: gitPollMs, healthPollMs: gitPollMs },
    apps: states.map((state) => ({ name: `${state}-app`, repoUrl: repository.path })),
  });
  const world = await startHttpWorld({
    argocdUrl: argocd.url,
    env: { LYNCEUS_RECONCILE_EVERY: '1h' },
    connections: `gitHosts:\n  - {name: local, kind: local, urls: ["${repository.path}"]}\nmetrics:\n  - {name: main, kind: prometheus, url: "${prometheus.url}"}\n`,
    sequences: states.map((state) =>
      story(state, HISTORIES[state](), { revision, source: { repoUrl: repository.path, path: '.' } }),
    ),
    documents: states.map((state) => ({
      kind: 'application',
      id: `main/argocd/${state}-app`,
      version: 1,
      ...placeOf(state),
      status: 'seen',
      sort: 1,
      data: {
        ref: {
          system: 'main',
          namespace: 'argocd',
          name: `${state}-app`,
          uid: `uid-${state}`,
          systemProject: 'default',
        },
        fingerprint: '',
      },
    })),
  });
  const json = { 'Content-Type': 'application/json', ...bearer(TOKENS.REPORTER) };
  const { stop: stopWorld } = world;
  return {
    ...world,
    get log() {
      return world.log;
    },
    prometheus,
    argocd,
    revision,
    emptyCommit,
    push: () => repository.commit({ branch: 'main', files: { ...FILES, NEWS: 'something new' } }),
    errors(service, rate) {
      prometheus.state.answers[`errors{service="${service}"}`] = rate;
    },
    async ask(body, path = '/api/v1/gates/evaluate') {
      const answer = await world.post(path, JSON.stringify(body), json);
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as GateAnswer;
    },
    async stop() {
      await stopWorld();
      await prometheus.close();
      await argocd.close();
      repository.remove();
    },
  };
}
