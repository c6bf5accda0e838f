import { short } from '../engine/revisions.ts';
import type { Report, ReportKind, ReportState } from '../events/report.ts';
import { webUrl } from '../events/written.ts';
import type { Ref, State } from './change-row.ts';
import type { Reported } from './fact-types.ts';
import { commitUrl } from './facts/commit-url.ts';
import type { Step, StepKey } from './step.ts';
import { between, oneLine, sayFor } from './words.ts';

/** Shorter gaps between two steps are no wait. */
const WAIT_MS = 60_000;
const MAX_DETAIL = 200;
const MAX_LINKS = 5;
/** Stages by cluster of one change; who reports more of them reports anything. */
const MAX_PLACES = 200;

/** All events about one run of one thing, whatever order they came in. */
interface Run {
  kind: ReportKind;
  state: ReportState;
  startedAt?: string;
  endedAt?: string;
  /** When anything was last said of it. */
  lastAt: string;
  reports: readonly Report[];
}

/**
 * What reports say of a change, in the order in which things happened (`joinReports` answers them so). The same reports
 * in another order say the same.
 */
export function reportedFacts(reports: readonly Report[]): Reported | undefined {
  if (reports.length === 0) return undefined;
  const author = newestOf(reports, ({ author: person }) => person);
  const title = newestOf(reports, (report) => report.title);
  const source = newestOf(reports, ({ commit, repository }) =>
    commit === undefined ? undefined : { commit, repository },
  );
  const pr = newestOf(reports, ({ pullRequest }) => pullRequest);
  const version = newestOf(reports, (report) => report.version);
  const team = newestOf(reports, (report) => report.team);
  const createdAt = reports.map(({ at }) => at).sort()[0];
  return {
    steps: reportedSteps(reports),
    ...(author === undefined ? {} : { author }),
    ...(title === undefined ? {} : { title }),
    ...(source === undefined ? {} : { commit: commitRef(source) }),
    ...(pr === undefined ? {} : { pr: { text: `PR ${pr.number}`, url: pr.url, id: pr.key } }),
    ...(version === undefined ? {} : { version }),
    ...(team === undefined ? {} : { team }),
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

/** What was said last counts, of those that say it. */
function newestOf<T>(reports: readonly Report[], read: (report: Report) => T | undefined): T | undefined {
  for (const report of reports.toReversed()) {
    const found = read(report);
    if (found !== undefined) return found;
  }
  return undefined;
}

function commitRef({ commit, repository }: { commit: string; repository: string | undefined }): Ref {
  const url = repository === undefined ? undefined : commitUrl(repository, commit);
  return { text: short(commit), id: commit, ...(url === undefined ? {} : { url }) };
}

/**
 * The steps before the first stage, in the order in which a change takes them, then what was reported of stages: tests and
 * deployments that others ran, by cluster.
 */
export function reportedSteps(reports: readonly Report[]): Step[] {
  const runs = runsOf(reports);
  const ofKind = (kind: ReportKind) => runs.filter((run) => run.kind === kind && stageOf(run) === undefined);
  const before = [
    step('build', buildsOf(ofKind), ofKind('task')),
    step('image', ofKind('image')),
    step('manifest', ofKind('manifest')),
    step('review', ofKind('pull-request')),
    step('test', ofKind('test')),
  ].filter((one) => one !== undefined);
  return [...withWaits(before), ...stageSteps(runs)];
}

/** A pipeline stands for its build where nothing else does, and where it failed at something that has no step. */
function buildsOf(ofKind: (kind: ReportKind) => Run[]): Run[] {
  const [builds, pipelines] = [ofKind('build'), ofKind('pipeline')];
  if (builds.length === 0) return pipelines;
  const failed = pipelines.slice(-1).filter(({ state }) => state === 'failed');
  return [...builds, ...failed];
}

/** A build, its tests and its deployments in stages are told apart by where they ran. */
function stageSteps(runs: readonly Run[]): Step[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const stage = stageOf(run);
    if (stage === undefined || (run.kind !== 'deploy' && run.kind !== 'test')) continue;
    const key = JSON.stringify([stage, run.kind, clusterOf(run) ?? '']);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const steps = [...groups.values()].flatMap((group) => {
    const [first] = group;
    const made = first && step(first.kind === 'deploy' ? 'sync' : 'test', group);
    const cluster = first && clusterOf(first);
    const stage = first && stageOf(first);
    return made ? [{ ...made, ...(stage ? { stage } : {}), ...(cluster ? { cluster } : {}) }] : [];
  });
  if (steps.length <= MAX_PLACES) return steps;
  // What failed is not lost among what others say went well.
  const [failed, others] = [true, false].map((isFailed) =>
    steps.filter(({ state }) => (state === 'failed') === isFailed),
  );
  return [...(failed ?? []), ...(others ?? [])].slice(0, MAX_PLACES);
}

function stageOf({ reports }: Run): string | undefined {
  return newestOf(reports, ({ stage }) => stage);
}

function clusterOf({ reports }: Run): string | undefined {
  return newestOf(reports, ({ cluster }) => cluster);
}

/** Events by the run that they are about. */
export function runsOf(reports: readonly Report[]): Run[] {
  const groups = new Map<string, Report[]>();
  for (const report of reports) groups.set(report.run, [...(groups.get(report.run) ?? []), report]);
  return [...groups.values()].map(runOf).sort((a, b) => order(beginOf(a), beginOf(b)));
}

const ENDS: ReadonlySet<ReportState> = new Set(['finished', 'failed', 'cancelled']);

/**
 * An end is an end, also where the begin was told later. Of two ends the later one counts; of two at the same moment
 * the bad one: no failure becomes a success.
 */
function runOf(reports: readonly Report[]): Run {
  const times = (states: (state: ReportState) => boolean) =>
    reports.flatMap(({ state, at }) => (states(state) ? [at] : [])).sort();
  const begins = times((state) => !ENDS.has(state));
  const ends = reports
    .filter(({ state }) => ENDS.has(state))
    .sort((a, b) => order(a.at, b.at) || badness(a) - badness(b));
  const end = ends.at(-1);
  const started = times((state) => state === 'started')[0] ?? begins[0];
  const lastAt = times(() => true).at(-1) ?? '';
  const kind = reports[0]?.kind ?? 'build';
  const startedAt = started !== undefined && end !== undefined && started > end.at ? end.at : started;
  return {
    kind,
    reports,
    lastAt,
    state: end?.state ?? (times((state) => state === 'started').length > 0 ? 'started' : 'queued'),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(end === undefined ? {} : { endedAt: end.at }),
  };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function badness({ state }: Report): number {
  return ['finished', 'cancelled', 'failed'].indexOf(state);
}

function beginOf({ startedAt, endedAt, lastAt }: Run): string {
  return startedAt ?? endedAt ?? lastAt;
}

const STATES: Readonly<Record<ReportState, State>> = {
  queued: 'queued',
  started: 'running',
  finished: 'passed',
  failed: 'failed',
  cancelled: 'skipped',
};

/** The newest run is what counts; how many there were is its attempt. */
function step(key: StepKey, runs: readonly Run[], parts: readonly Run[] = []): Step | undefined {
  const run = runs.at(-1);
  if (!run) return undefined;
  const state = key === 'review' && run.state === 'started' ? 'waiting' : STATES[run.state];
  const detail = detailOf(key, run, partsOf(run, parts));
  return {
    key,
    state,
    attempt: runs.filter(({ kind }) => kind === run.kind).length,
    ...(run.startedAt === undefined ? {} : { startedAt: run.startedAt }),
    ...(run.endedAt === undefined ? {} : { endedAt: run.endedAt }),
    ...(detail === '' ? {} : { detail }),
    human: key === 'review',
    links: linksOf(run),
  };
}

function partsOf(run: Run, parts: readonly Run[]): Run[] {
  const runs = new Set(run.reports.flatMap(({ run: own, partOf }) => [own, ...(partOf === undefined ? [] : [partOf])]));
  return parts.filter(({ reports }) => reports.some(({ partOf }) => partOf !== undefined && runs.has(partOf)));
}

function detailOf(key: StepKey, run: Run, parts: readonly Run[]): string {
  const said = newestOf(run.reports, ({ detail }) => detail);
  const words = run.state === 'failed' ? failureOf(run, parts, said) : (said ?? whatOf(key, run));
  const line = oneLine(words);
  return line.length > MAX_DETAIL ? `${line.slice(0, MAX_DETAIL - 1)}…` : line;
}

/** Where it failed, as a sentence goes on after "failed at": `step 2 of 4: go test`; else what was said. */
function failureOf(run: Run, parts: readonly Run[], said: string | undefined): string {
  const failed = parts.find(({ state }) => state === 'failed');
  const at = newestOf([...(failed?.reports ?? []), ...run.reports], (report) => report.step);
  if (at === undefined) return said ?? '';
  if (at.number === undefined) return at.name;
  return `step ${at.number}${at.of === undefined ? '' : ` of ${at.of}`}: ${at.name}`;
}

function whatOf(key: StepKey, { reports, state }: Run): string {
  if (key === 'image' || key === 'build') return imageOf(reports);
  if (key === 'manifest') {
    const commit = newestOf(reports, ({ manifestCommit }) => manifestCommit);
    return commit === undefined ? '' : `commit ${short(commit)}`;
  }
  const pr = newestOf(reports, ({ pullRequest }) => pullRequest);
  if (key !== 'review' || pr === undefined) return '';
  if (state === 'cancelled') return `PR ${pr.number} closed`;
  if (state !== 'finished') return `PR ${pr.number} open`;
  const by = newestOf(reports, ({ pullRequest }) => pullRequest?.mergedBy);
  return `PR ${pr.number} merged${by === undefined ? '' : ` by ${by}`}`;
}

function imageOf(reports: readonly Report[]): string {
  const [image, version, digest] = [
    newestOf(reports, (report) => report.image),
    newestOf(reports, (report) => report.version),
    newestOf(reports, (report) => report.digest),
  ];
  if (image === undefined && digest === undefined) return '';
  return `${image ?? ''}${image !== undefined && version !== undefined ? `:${version}` : ''}${digest === undefined ? '' : `@${digest.slice(0, 19)}`}`;
}

function linksOf({ reports, kind }: Run): Step['links'] {
  const urls = new Map<string, string>();
  for (const { url, pullRequest } of reports) {
    if (url !== undefined && webUrl(url) !== undefined) urls.set(url, kind === 'pull-request' ? 'pull request' : 'run');
    if (pullRequest !== undefined) urls.set(pullRequest.url, `PR ${pullRequest.number}`);
  }
  return [...urls].slice(0, MAX_LINKS).map(([url, text]) => ({ text, url }));
}

/**
 * What was reported only when it was done took the time since the step before it, waits included. A wait before a step
 * that told its begin is said with it. What something later has overtaken without an end is not running: nobody knows.
 */
function withWaits(steps: readonly Step[]): Step[] {
  let last: string | undefined;
  return steps.map((one, at) => {
    const previous = last;
    last = [last, one.endedAt]
      .filter((time) => time !== undefined)
      .sort()
      .at(-1);
    if (one.state === 'running' || one.state === 'queued') {
      const isOvertaken = steps.slice(at + 1).some(({ endedAt, key }) => endedAt !== undefined && key !== 'test');
      return isOvertaken ? { ...one, state: 'unknown', detail: 'no signal: its end was not reported' } : one;
    }
    if (previous === undefined) return one;
    if (one.startedAt === undefined)
      return one.endedAt !== undefined && previous <= one.endedAt ? { ...one, startedAt: previous } : one;
    const waited = between(previous, one.startedAt);
    const wait = `waited ${sayFor(waited)} before`;
    return waited < WAIT_MS || one.state === 'failed'
      ? one
      : { ...one, detail: one.detail === undefined ? wait : `${one.detail}; ${wait}` };
  });
}
