import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/base/json.ts';
import { type PlannedTask, planToJson } from '../../src/engine/plan.ts';
import type { SequenceState, TaskState } from '../../src/engine/sequence.ts';
import type { Blocker, Result, TaskName } from '../../src/events/types.ts';
import type { Evaluation, IndicatorResult } from '../../src/slo/evaluation.ts';
import type { Running } from '../../src/views/fleet.ts';

/** How large a world is. */
export interface Size {
  services: number;
  /** Of each service; each visits up to four stages and is evaluated in each. */
  changes: number;
}

export const STAGES = ['dev', 'staging', 'prod-eu', 'prod-us'] as const;
export const TEAMS = 40;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What stands still, and where: the newest change of a service in turn. */
const STANDINGS = [
  'approval',
  'gate',
  'sync',
  'tests',
  'soak',
  'done',
  'budget',
  'window',
  'risk',
  'review',
  'done',
  'health',
  'unreachable',
  'warned',
  'queue',
  'done',
] as const;
type Standing = (typeof STANDINGS)[number];

const VERBS = [
  'Retry',
  'Cache',
  'Log',
  'Bound',
  'Rename',
  'Split',
  'Drop',
  'Speed up',
  'Correct',
  'Document',
  'Measure',
];
const THINGS = [
  'card timeouts',
  'search results',
  'session refresh',
  'invoice totals',
  'the nightly import',
  'stock levels',
];
const WHYS = [
  'once',
  'for guests',
  'behind a flag',
  'when the queue is full',
  'on Sundays',
  'as the auditors ask',
  'at last',
];
const PEOPLE = [
  'Ada Lovelace',
  'Lin Ye',
  'Omar Haddad',
  'Eva Novak',
  'Grace Hopper',
  'Jan Willem de Boer',
  'Mia Sørensen',
];
const NOUNS = [
  'checkout',
  'search',
  'ledger',
  'identity',
  'catalog',
  'basket',
  'pricing',
  'shipping',
  'invoice',
  'notify',
];
const SLIS = ['response_time_p95', 'error_rate', 'throughput', 'cpu_per_request', 'queue_wait_p99', 'cache_misses'];

/** Everything of one change: its sequences, the oldest stage first. */
export interface SeededChange {
  id: string;
  sequences: SequenceState[];
}

export interface SeededService {
  project: string;
  service: string;
  team: string;
  /** The oldest first. */
  changes: SeededChange[];
  /** By stage: what runs there. */
  running: { stage: string; name: string; runs: Running }[];
}

/** A service with its history, the same for the same numbers. @param now milliseconds since 1970 */
export function seededService(at: number, size: Size, now: number): SeededService {
  const team = `team-${(at % TEAMS) + 1}`;
  const place = {
    project: `line-${(at % 25) + 1}`,
    service: `${NOUNS[at % NOUNS.length]}-${Math.floor(at / NOUNS.length) + 1}`,
  };
  const standing = STANDINGS[at % STANDINGS.length] ?? 'done';
  const changes = Array.from({ length: size.changes }, (_, nth) => {
    const isNewest = nth === size.changes - 1;
    // A service is changed every nine hours or so; the newest change came within the last hours.
    const begun = now - (size.changes - nth) * 9 * HOUR + ((at * 7919) % 360) * MINUTE;
    const fate = isNewest ? standing : nth % 9 === 4 ? 'gate' : nth % 7 === 3 ? 'warned' : 'done';
    return seededChange({ ...place, team, at, nth, begun, fate });
  });
  return {
    ...place,
    team,
    changes,
    running: STAGES.map((stage) => runningIn(stage, at, size, place.service, team, now)),
  };
}

interface Wanted {
  project: string;
  service: string;
  team: string;
  at: number;
  nth: number;
  begun: number;
  fate: Standing;
}

function seededChange(wanted: Wanted): SeededChange {
  const id = hash(`change/${wanted.at}/${wanted.nth}`).slice(0, 20);
  const last = { gate: 1, sync: 2, approval: 2, tests: 1, soak: 1, budget: 2, window: 2, risk: 2, review: 1 }[
    wanted.fate as string
  ];
  const standsIn = last ?? (wanted.fate === 'done' || wanted.fate === 'warned' ? STAGES.length : 1);
  const sequences: SequenceState[] = [];
  let at = wanted.begun;
  for (const [nth, stage] of STAGES.entries()) {
    if (nth > standsIn) break;
    const state = sequenceIn({ ...wanted, id, stage, nthStage: nth, from: at, stands: nth === standsIn });
    sequences.push(state);
    at = Date.parse(state.finished?.at ?? state.tasks.at(-1)?.triggeredAt ?? iso(at)) + MINUTE;
  }
  return { id, sequences };
}

interface InStage extends Wanted {
  id: string;
  stage: string;
  nthStage: number;
  /** Here it stands still. */
  stands: boolean;
}

function sequenceIn(one: InStage & { from: number }): SequenceState {
  const sequence = hash(`${one.id}/${one.stage}`).slice(0, 24);
  const revision = hash(`commit/${one.at}/${one.nth}`);
  const random = seeded(`${sequence}`);
  const steps = stepsOf(one.nthStage);
  const tasks: TaskState[] = [];
  let clock = one.from;
  const names: TaskName[] = ['plan', ...steps.map(({ name }) => name)];
  let failed = false;
  let waits = false;
  for (const [position, name] of names.entries()) {
    const task = {
      id: `${sequence}.${position}-${name}`,
      name,
      at: clock,
      minutes: MINUTES[name] * (0.4 + 1.6 * random()),
    };
    const end = one.stands ? standing(one, name, task.minutes) : undefined;
    tasks.push(end?.open ? openTask(task, end.blocker) : doneTask(one, task, end?.result ?? 'pass', random));
    waits = end?.open ?? false;
    failed = end?.result === 'fail';
    if (waits || failed) break;
    clock += task.minutes * MINUTE;
  }
  const result = worst(tasks);
  const version = `1.${one.nth}.${one.at % 10}`;
  return {
    phase: one.fate === 'queue' && one.stands ? 'triggered' : waits ? 'running' : 'finished',
    triggered: {
      at: iso(one.from),
      sequence,
      context: one.id,
      place: { project: one.project, stage: one.stage, service: one.service },
      revision,
      previousRevision: hash(`commit/${one.at}/${one.nth - 1}`),
      ...(one.nth > 0 ? { running: [`ghcr.io/acme/${one.service}:1.${one.nth - 1}.${one.at % 10}`] } : {}),
      source: { repoUrl: `https://github.com/acme/${one.project}-deploy`, path: one.service },
      automated: one.nthStage === 0,
      application: {
        system: 'main',
        namespace: 'argocd',
        name: `${one.service}-${one.stage}`,
        uid: hash(`${one.service}/${one.stage}`).slice(0, 32),
        systemProject: one.project,
      },
      team: one.team,
    },
    startedAt: iso(one.from + 300),
    plan: { steps, files: [], stages: STAGES.map((name, nth) => ({ name, to: STAGES.slice(nth + 1, nth + 2) })) },
    tasks:
      one.fate === 'queue' && one.stands ? [] : tasks.map((task) => withImages(task, one.service, version, revision)),
    ...(waits || (one.fate === 'queue' && one.stands)
      ? {}
      : {
          finished: {
            at: iso(clock + (failed ? MINUTE : 0)),
            status: 'succeeded',
            result,
            reason: failed ? 'failed' : 'completed',
            message: tasks.at(-1)?.message ?? '',
          },
        }),
  };
}

const MINUTES: Readonly<Record<TaskName, number>> = {
  plan: 0.02,
  checks: 0.05,
  approval: 45,
  sync: 1.2,
  rollout: 2.5,
  test: 4,
  evaluation: 2,
  release: 1,
  soak: 30,
  promotion: 20,
  rollback: 5,
};

function stepsOf(nth: number): PlannedTask[] {
  const limit = { timeLimitMs: 24 * HOUR };
  const steps: PlannedTask[] = [
    { ...limit, name: 'checks', windows: [] },
    ...(nth >= 2
      ? [{ ...limit, name: 'approval' as const, always: true, quorum: 1, groups: ['release-managers'] }]
      : []),
    { ...limit, name: 'sync', mode: nth === 0 ? 'automatic' : 'gated', prune: false },
    { ...limit, name: 'rollout', settleMs: 10_000 },
    { ...limit, name: 'test', tests: [] },
    { ...limit, name: 'evaluation', slo: SLO, sli: {} },
    ...(nth === 1 ? [{ ...limit, name: 'soak' as const, durationMs: 30 * MINUTE }] : []),
  ];
  const to = STAGES[nth + 1];
  if (to === undefined) return steps;
  const targets = [{ to, branch: `stage/${to}` }];
  return [...steps, { ...limit, name: 'promotion', targets, onPass: 'manual', onWarning: 'manual' } as PlannedTask];
}

const SLO = {
  comparison: { count: 3, include: 'pass' as const, aggregate: 'avg' as const },
  objectives: [],
  totalScore: { pass: 90, warning: 75 },
  filter: {},
};

/** What becomes of a task of a change that stands still; `undefined`: it is done. */
function standing(one: InStage, name: TaskName, minutes: number) {
  const until = iso(one.begun + 40 * HOUR);
  const wait = (kind: Blocker['kind'], sentence: string, more: object = {}) => ({
    open: true,
    result: undefined,
    blocker: { kind, sentence, ...more } as Blocker,
  });
  const fail = { open: false, result: 'fail' as Result, blocker: undefined };
  switch (`${one.fate}/${name}`) {
    case 'approval/approval':
      return { open: true, result: undefined, blocker: undefined };
    case 'gate/evaluation':
      return fail;
    case 'health/rollout':
      return wait('health', `Deployment ${one.service}: 1 of 3 pods not ready, ImagePullBackOff`);
    case 'sync/sync':
      return wait('sync', 'Argo CD is syncing: wave 3 of 5, Job migrate');
    case 'tests/test':
      return wait('tests', `http test running, ${Math.round(minutes * 10)} of 120 s`);
    case 'soak/soak':
      return wait('soak', 'soaking, 30 min', { until });
    case 'budget/checks':
      return wait('budget', 'error budget 4 % left, needs 20 %', { until });
    case 'window/checks':
      return wait('window', 'closed until Monday 07:00: weekend freeze', { until });
    case 'risk/checks':
      return wait('risk', 'risk 81, limit 60: 3 failures in 24 h');
    case 'review/promotion':
      return wait('review', 'pull request 412 needs 1 of release-managers');
    case 'unreachable/evaluation':
      return wait('unreachable', 'Prometheus does not answer: connection refused');
    case 'warned/evaluation':
      return { open: false, result: 'warning' as Result, blocker: undefined };
    default:
      return undefined;
  }
}

interface TaskWanted {
  id: string;
  name: TaskName;
  at: number;
  minutes: number;
}

function openTask({ id, name, at }: TaskWanted, blocker: Blocker | undefined): TaskState {
  const deadline = iso(at + 24 * 30 * HOUR);
  const since = iso(at + 1_000);
  const memo: JsonObject =
    name === 'promotion' ? { pullRequest: 412, url: 'https://github.com/acme/deploy/pull/412' } : {};
  return {
    id,
    name,
    triggeredAt: iso(at),
    deadline,
    data: {},
    memo,
    decisions: [],
    ...(blocker ? { blocker: { ...blocker, since } } : {}),
  };
}

function doneTask(
  one: InStage,
  { id, name, at, minutes }: TaskWanted,
  result: Result,
  random: () => number,
): TaskState {
  return {
    id,
    name,
    triggeredAt: iso(at),
    deadline: iso(at + 24 * HOUR),
    finishedAt: iso(at + minutes * MINUTE),
    status: 'succeeded',
    result,
    message: `${name}: ${result}`,
    memo: {},
    decisions: [],
    data: dataOf(one, name, result, random),
  };
}

function dataOf(one: InStage, name: TaskName, result: Result, random: () => number): JsonObject {
  const pick = (list: readonly string[], salt: number) => list[(one.at * 31 + one.nth * 17 + salt) % list.length] ?? '';
  if (name === 'plan') {
    const author = pick(PEOPLE, 1);
    const subject = `${pick(VERBS, 2)} ${pick(THINGS, 3)} ${pick(WHYS, 4)} (#${1000 + ((one.at * 13 + one.nth) % 9000)})`;
    const login = (author.split(' ')[0] ?? '').toLowerCase();
    return { ...planToJson({ steps: stepsOf(one.nthStage), files: [] }), commit: { author, login, subject } };
  }
  if (name === 'evaluation') return { evaluation: evaluationOf(one, result, random) as unknown as JsonObject };
  if (name === 'promotion')
    return { pullRequest: 400 + one.nth, url: `https://github.com/acme/deploy/pull/${400 + one.nth}` };
  if (name !== 'checks') return {};
  return {
    answers: [
      {
        check: 'error-budget',
        answer: 'pass',
        reasons: [`${Math.round(30 + 60 * random())} % of the error budget is left`],
        figures: {},
      },
      { check: 'risk', answer: 'pass', reasons: [`risk ${Math.round(40 * random())} is below 60`], figures: {} },
    ],
  };
}

function evaluationOf(one: InStage, result: Result, random: () => number): Evaluation {
  const worstAt = (one.at + one.nth) % SLIS.length;
  const indicators = SLIS.map((sli, at): IndicatorResult => {
    const status = at === worstAt ? result : 'pass';
    const value = Number((400 * (0.6 + 0.5 * random()) * (status === 'pass' ? 1 : 1.6)).toPrecision(6));
    return {
      sli,
      displayName: sli.replaceAll('_', ' '),
      keySli: at < 2,
      weight: at < 2 ? 3 : 1,
      value,
      comparedValue: 350,
      change: value - 350,
      status,
      score: status === 'pass' ? (at < 2 ? 3 : 1) : status === 'warning' ? 0.5 : 0,
      passTargets: [{ criteria: '<=+10%', targetValue: 385, violated: status !== 'pass' }],
      warningTargets: [{ criteria: '<=+25%', targetValue: 437.5, violated: status === 'fail' }],
    };
  });
  const score = result === 'pass' ? 90 + Math.round(10 * random()) : result === 'warning' ? 82 : 55;
  const message = result === 'pass' ? 'all objectives were met' : `${SLIS[worstAt]} is above its limit`;
  return { result, score, thresholds: { pass: 90, warning: 75 }, indicators, message, compared: [] };
}

function withImages(task: TaskState, service: string, version: string, revision: string): TaskState {
  if (task.name !== 'rollout' || task.finishedAt === undefined) return task;
  return {
    ...task,
    data: {
      images: [`ghcr.io/acme/${service}:${version}@sha256:${hash(revision + service)}${hash(service).slice(0, 24)}`],
    },
  };
}

function runningIn(stage: string, at: number, size: Size, service: string, team: string, now: number) {
  const behind = stage === 'prod-us' && at % 5 === 0 ? 2 : stage.startsWith('prod') && at % 3 === 0 ? 1 : 0;
  const nth = size.changes - 1 - behind;
  const name = `${service}-${stage}`;
  const runs: Running = {
    images: [`ghcr.io/acme/${service}:1.${nth}.${at % 10}`],
    revision: hash(`commit/${at}/${nth}`),
    health: at % 37 === 5 ? 'Degraded' : 'Healthy',
    sync: 'Synced',
    since: iso(now - (behind + 1) * 9 * HOUR),
    cluster: stage.startsWith('prod') ? stage.slice('prod-'.length) : 'test',
    team,
  };
  return { stage, name, runs };
}

function worst(tasks: readonly TaskState[]): Result {
  const results = tasks.map(({ result }) => result);
  return results.includes('fail') ? 'fail' : results.includes('warning') ? 'warning' : 'pass';
}

function iso(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}

/** Forty hexadecimal digits. */
export function hash(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

/** Numbers of 0..1 that are the same for the same text. */
function seeded(text: string): () => number {
  let state = Number.parseInt(hash(text).slice(0, 8), 16);
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
