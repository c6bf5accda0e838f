import type { Clock } from '../../base/clock.ts';
import { sha256 } from '../../base/ids.ts';
import { isOpenProject } from '../../base/rights.ts';
import { finishedTask } from '../../engine/sequence.ts';
import type { Place } from '../../events/application.ts';
import { EvaluationRefused, type Evaluations } from '../../runtime/evaluations.ts';
import type { SeenApplication } from '../../runtime/observe-application.ts';
import type { ProgressBoard } from '../../runtime/progress.ts';
import type { FindSyncingCommit } from '../../runtime/syncing-commit.ts';
import type { FindUnseenCommit } from '../../runtime/unseen-commit.ts';
import type { Document, Store } from '../../store/store.ts';
import { changeView } from '../../views/change.ts';
import type { EvaluationView } from '../../views/evaluation-document.ts';
import { type GateAnswer, type GateUntil, gateAnswer, gateOfEvaluation, gateOfStage } from '../../views/gate.ts';
import { sayGoingBack, subjectOf } from '../../views/gate-rollback.ts';
import { sequenceFromRow } from '../../views/sequence-document.ts';
import { refuseProject, type Scope } from '../project-scope.ts';
import type { Question, Whereabouts } from './question.ts';

export interface GateTools {
  store: Store;
  clock: Clock;
  progress: ProgressBoard;
  evaluations: Pick<Evaluations, 'request' | 'get' | 'wait'>;
  findUnseenCommit: FindUnseenCommit;
  findSyncingCommit: FindSyncingCommit;
}

/** Holder of the token that asks. */
export interface Asker extends Scope {
  /** Of this service as the asker may open it. */
  base: string;
  /** How long the asker can wait for a verdict. */
  patienceMs: number;
}

/** One answer for everybody who asks; the faces only dress it. */
export interface Gates {
  ask(question: Question, asker: Asker): Promise<GateAnswer>;
  /** Starts an evaluation, or finds it by its key; the answer says why not. */
  start(question: Question, asker: Asker): Promise<{ id: string } | { answer: GateAnswer }>;
  /** An evaluation that was started. */
  read(id: string, asker: Asker): Promise<GateAnswer>;
  /** The places that fit, of the asker's projects. */
  places(where: Whereabouts, asker: Scope): Promise<KnownPlace[]>;
  /** @throws {Refusal} something that is called so is of no project of theirs, or nothing is known that is */
  refuseCalled(name: string, asker: Scope): Promise<void>;
}

export interface KnownPlace {
  place: Place;
  /** Name of the application there. */
  app: string;
}

const PAGE = 1000;
const MOST_SEQUENCES = 200;
/** How often an evaluation that could not be judged is asked for anew under one key. */
const MOST_ATTEMPTS = 5;
/** Answers without a key are at least so long the same. */
const LEAST_SAME_MS = 60_000;

export function createGates(tools: GateTools): Gates {
  const { store, clock, progress, evaluations, findUnseenCommit, findSyncingCommit } = tools;

  /** All of them: an application that was not looked at could be the one that is meant. */
  async function applications(given: Partial<Place>): Promise<Document[]> {
    const found: Document[] = [];
    for (;;) {
      const last = found.at(-1);
      const after = last && { after: { sort: last.sort, id: last.id } };
      const query = { kind: 'application', ...given, status: ['seen', 'absent'], limit: PAGE, ...after };
      const page = await store.documents(query);
      found.push(...page);
      if (page.length < PAGE) return found;
    }
  }

  async function places(where: Whereabouts): Promise<KnownPlace[]> {
    const { project, stage, service } = where;
    const given = { ...(project && { project }), ...(stage && { stage }), ...(service && { service }) };
    const rows = await applications(given);
    return rows.flatMap((row) => {
      const { ref } = row.data as unknown as SeenApplication;
      const fits =
        (where.app === undefined || ref.name === where.app) &&
        (where.namespace === undefined || ref.namespace === where.namespace) &&
        (where.called === undefined || ref.name === where.called || row.service === where.called);
      return fits ? [{ place: placeOf(row), app: ref.name }] : [];
    });
  }

  /** Exactly one place, or a sentence that says what is missing. */
  async function locate(where: Whereabouts, asker: Scope): Promise<Place | string> {
    const found = await locateAny(where, asker);
    if (typeof found !== 'string') refuseProject(asker, found.project);
    return found;
  }

  async function locateAny(where: Whereabouts, asker: Scope): Promise<Place | string> {
    const { project, stage, service, app, namespace } = where;
    const whole = project !== undefined && stage !== undefined && service !== undefined;
    if (whole && app === undefined && namespace === undefined) return { project, stage, service };
    const all = (await places(where)).map(({ place }) => place);
    const own = all.filter((place) => isOpenProject(asker, place.project));
    const found = new Map((own.length === 0 ? all.slice(0, 1) : own).map((place) => [sayPlace(place), place]));
    const [only] = found.values();
    if (only && found.size === 1) return only;
    const asked = Object.entries(where).flatMap(([name, value]) => (value === undefined ? [] : `${name} ${value}`));
    if (!only) return `No application is known of ${asked.join(', ')}: check the names`;
    const some = [...found.keys()].slice(0, 3).join(', ');
    return `${found.size} places fit ${asked.join(', ')} (${some}): name project, stage and service`;
  }

  /** Who cannot name the commit means the newest there is: of one that was not seen yet, the one before says nothing. */
  async function newestChangeAt(place: Place, question: Question, { base, patienceMs }: Asker): Promise<GateAnswer> {
    const answer = await changeAt(place, question, base);
    const lets = answer.result === 'pass' || answer.result === 'warning';
    if (!lets || question.until !== 'deploy' || question.revision !== undefined) return answer;
    const unseen = await findUnseenCommit(place, patienceMs);
    return unseen === undefined ? answer : notYet(unseen, base);
  }

  /** Asked from inside a sync, which knows the commit better than whoever asks. */
  async function syncingChangeAt(place: Place, question: Question, { base, patienceMs }: Asker): Promise<GateAnswer> {
    const found = await findSyncingCommit(place, question.where, patienceMs);
    return 'why' in found
      ? notYet(found.why, base)
      : changeAt(place, { ...question, revision: found.revision.toLowerCase() }, base);
  }

  async function changeAt(place: Place, { revision, until }: Question, base: string): Promise<GateAnswer> {
    const rows = await store.documents({ kind: 'sequence', ...place, limit: MOST_SEQUENCES });
    const states = rows.map((row) => sequenceFromRow(row.data));
    const subject = { until, ...(revision === undefined ? {} : { revision }) };
    const state = subjectOf(states, subject);
    const view = state && changeView([state], { progress: progress.read, evidence: () => '' });
    const stage = view?.stages.at(0);
    const back = sayGoingBack(states, subject);
    if (back) return gateAnswer('pass', { reason: `${place.stage}: ${back}`, url: `${base}/changes` });
    if (view && stage) return gateOfStage(stage, until, `${base}/changes/${encodeURIComponent(view.id)}`);
    const what = revision === undefined ? 'No change' : `Commit ${revision.slice(0, 12)}`;
    return notYet(`${what} was not seen in ${sayPlace(place)} yet`, base);
  }

  async function request(place: Place, question: Question, asker: Asker, key: string): Promise<string> {
    const end = clock.now().getTime();
    const { period, timeframeMs, delayMs, revision } = question;
    const { id } = await evaluations.request({
      place,
      period: period ?? { start: new Date(end - timeframeMs).toISOString(), end: new Date(end).toISOString() },
      delayMs,
      key,
      asked: hashOf([revision, timeframeMs, delayMs, period]),
      ...(revision === undefined ? {} : { revision }),
      requestedBy: asker.name,
    });
    return id;
  }

  /** What runs in a place, as far as a verdict on it is concerned: changed by every deployment. */
  async function runningAt(place: Place): Promise<string> {
    const [row] = await store.documents({ kind: 'sequence', ...place, limit: 1 });
    const synced = row && finishedTask(sequenceFromRow(row.data), 'sync')?.finishedAt;
    return `${row?.id} ${synced}`;
  }

  async function start(question: Question, asker: Asker): Promise<{ id: string } | { answer: GateAnswer }> {
    const place = await locate(question.where, asker);
    if (typeof place === 'string') return { answer: notYet(place, asker.base) };
    const key = question.key ?? passingKey(question, await runningAt(place), clock.now());
    try {
      // What could not be judged is tried again, and each try is remembered; a verdict stands.
      for (let attempt = 1; ; attempt++) {
        const id = await request(place, question, asker, attempt === 1 ? `gate/${key}` : `gate/${key}#${attempt}`);
        if (attempt >= MOST_ATTEMPTS || !couldNotJudge(await evaluations.get(id))) return { id };
      }
    } catch (error) {
      if (!(error instanceof EvaluationRefused)) throw error;
      const url = `${asker.base}/changes`;
      return {
        answer: gateAnswer('error', { reason: error.message, url, complete: error.code === 'key-reused' }),
      };
    }
  }

  function answerOf(
    view: EvaluationView | undefined,
    id: string,
    { base }: Asker,
    until: GateUntil = 'verdict',
  ): GateAnswer {
    const url = `${base}/api/v1/evaluations/${encodeURIComponent(id)}`;
    return view
      ? gateOfEvaluation(view, url, until)
      : gateAnswer('error', { reason: `There is no evaluation ${id}`, url, complete: true });
  }

  return {
    places: async (where, asker) => (await places(where)).filter(({ place }) => isOpenProject(asker, place.project)),
    async refuseCalled(called, asker) {
      if (asker.projects === undefined) return;
      const found = new Set((await places({ called })).map(({ place }) => place.project));
      for (const project of found.size === 0 ? [undefined] : found) refuseProject(asker, project);
    },
    start,
    async read(id, asker) {
      const view = await evaluations.get(id);
      if (view) refuseProject(asker, view.project);
      return answerOf(view, id, asker);
    },
    async ask(question, asker) {
      if (question.kind === 'change') {
        const place = await locate(question.where, asker);
        if (typeof place === 'string') return notYet(place, asker.base);
        return question.ofRunningSync
          ? syncingChangeAt(place, question, asker)
          : newestChangeAt(place, question, asker);
      }
      const started = await start(question, asker);
      if ('answer' in started) return started.answer;
      return answerOf(await evaluations.wait(started.id, asker.patienceMs), started.id, asker, question.until);
    },
  };
}

/** Names may be wrong, or what they mean may come: no verdict, and worth asking again. */
function notYet(reason: string, base: string): GateAnswer {
  return gateAnswer('error', { reason, url: `${base}/changes`, complete: false });
}

function couldNotJudge(view: EvaluationView | undefined): boolean {
  return view?.state === 'finished' && view.status !== 'succeeded';
}

/**
 * Polls ask the same question over and over; an answer about the last five minutes serves them for five, unless
 * something else runs by then.
 */
function passingKey({ revision = '', timeframeMs, delayMs }: Question, running: string, now: Date): string {
  const sameMs = Math.max(LEAST_SAME_MS, timeframeMs + delayMs);
  return hashOf([revision, timeframeMs, delayMs, running, Math.floor(now.getTime() / sameMs)]);
}

function hashOf(parts: readonly unknown[]): string {
  return sha256(JSON.stringify(parts));
}

function placeOf({ project = '', stage = '', service = '' }: Document): Place {
  return { project, stage, service };
}

function sayPlace({ project, stage, service }: Place): string {
  return `${project}/${stage}/${service}`;
}
