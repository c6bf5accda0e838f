import { createHash } from 'node:crypto';
import express, { type Request, Router } from 'express';
import type { Clock } from '../base/clock.ts';
import { derivedId, newId } from '../base/ids.ts';
import { isJsonObject } from '../base/json.ts';
import { closedStages } from '../base/rights.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { type Afterwards, checkRollback, startsAnew } from '../engine/asked.ts';
import { checkDecision, type DecisionRequest, evidenceOf, stagesDecided } from '../engine/decisions.ts';
import type { SequenceState } from '../engine/sequence.ts';
import { ROLLBACK_WAYS, type RollbackWay } from '../events/types.ts';
import type { ProgressBoard } from '../runtime/progress.ts';
import { recordDecision } from '../runtime/record-decision.ts';
import { streamOf } from '../runtime/sequences.ts';
import type { Store, StoredEvent } from '../store/store.ts';
import { type ChangeView, changeView, type Invalidation, type ViewTools } from '../views/change.ts';
import { isInForce } from '../views/evaluation-document.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import type { Authentication, Holder } from './authentication.ts';
import { Refusal } from './problem.ts';

export interface ChangesTools {
  store: Store;
  clock: Clock;
  progress: ProgressBoard;
  authentication: Authentication;
}

const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;
const MAX_REASON_CHARS = 2000;
const MAX_DECISION_BYTES = 64 * 1024;
/** A change visits one sequence per stage, and more when it is delivered again. */
const MAX_SEQUENCES = 1000;

export interface ChangeQuery {
  project?: string;
  stage?: string;
  service?: string;
  limit?: number;
  cursor?: string;
}

export interface ChangesPage {
  changes: ChangeView[];
  /** Where the next page begins; absent on the last. */
  next?: string;
}

/** What pages and API read, and the one way in which people decide. */
export interface Changes {
  list(query: ChangeQuery): Promise<ChangesPage>;
  read(id: string): Promise<ChangeView | undefined>;
  decide(id: string, body: unknown, holder: Holder, idempotencyKey: string | undefined): Promise<ChangeView>;
}

export function createChanges({ store, clock, progress }: Pick<ChangesTools, 'store' | 'clock' | 'progress'>): Changes {
  async function viewToolsFor(contexts: readonly string[]): Promise<ViewTools> {
    const rows =
      contexts.length === 0
        ? []
        : await store.documents({ kind: 'invalidation', context: contexts, limit: MAX_SEQUENCES });
    const found = new Map(rows.filter(isInForce).map(({ id, data }) => [id, data as unknown as Invalidation]));
    return { progress: progress.read, evidence: hashEvidence, invalidation: (task) => found.get(task) };
  }

  async function sequencesOf(contexts: readonly string[]): Promise<Map<string, SequenceState[]>> {
    const rows =
      contexts.length === 0 ? [] : await store.documents({ kind: 'sequence', context: contexts, limit: MAX_SEQUENCES });
    const found = new Map<string, SequenceState[]>();
    for (const row of rows.reverse())
      found.set(row.context ?? '', [...(found.get(row.context ?? '') ?? []), sequenceFromRow(row.data)]);
    return found;
  }

  /** The newest sequence of each place that a change has been in. */
  async function newestIds(states: readonly SequenceState[]): Promise<Set<string | undefined>> {
    const places = new Map(
      states.flatMap(({ triggered }) => (triggered ? [[triggered.place.stage, triggered.place]] : [])),
    );
    const rows = await Promise.all(
      [...places.values()].map((place) => store.documents({ kind: 'sequence', ...place, limit: 1 })),
    );
    return new Set(rows.map(([row]) => row?.id));
  }

  async function read(id: string): Promise<ChangeView | undefined> {
    const [sequences, tools] = await Promise.all([sequencesOf([id]), viewToolsFor([id])]);
    const states = sequences.get(id) ?? [];
    const newest = await newestIds(states);
    return changeView(states, { ...tools, isNewest: (sequence) => newest.has(sequence) });
  }

  /** Looks into the logs: by now the change may be a stage further, and a pause leaves no trace when it is over. */
  async function isMade(decision: string, states: readonly SequenceState[]): Promise<boolean> {
    for (const { triggered } of states) {
      const events = triggered ? await store.readStream(streamOf(triggered.sequence)) : [];
      if (events.some(({ data }) => data['decision'] === decision)) return true;
    }
    return false;
  }

  return {
    read,
    async list({ limit = DEFAULT_PAGE, cursor, ...place }) {
      const after = cursor === undefined ? undefined : parseCursor(cursor);
      const rows = await store.documents({ kind: 'change', ...place, limit, ...(after ? { after } : {}) });
      const ids = rows.map(({ id }) => id);
      const [sequences, viewTools] = await Promise.all([sequencesOf(ids), viewToolsFor(ids)]);
      const changes = rows
        .map(({ id }) => changeView(sequences.get(id) ?? [], viewTools))
        .filter((change) => change !== undefined);
      const last = rows.at(-1);
      return { changes, ...(last && rows.length === limit ? { next: `${last.sort}~${last.id}` } : {}) };
    },
    async decide(id, body, holder, idempotencyKey) {
      const request = parseDecision(body);
      const states = (await sequencesOf([id])).get(id) ?? [];
      const target = findTarget(states, request.stage);
      if (!target?.triggered)
        throw new Refusal(
          404,
          'not-found',
          `there is no change ${id}${request.stage === undefined ? '' : ` in stage ${request.stage}`}`,
        );
      const decision = idempotencyKey === undefined ? newId() : derivedId('decision', id, holder.id, idempotencyKey);
      if (idempotencyKey !== undefined && (await isMade(decision, states))) return (await read(id)) as ChangeView;
      await recordDecision({ store, clock }, target.triggered.sequence, decision, (afterwards) => {
        refuseElsewhere(request, afterwards.state, holder);
        const checked = check(afterwards, request, holder);
        if (!checked.ok)
          throw new Refusal(checked.refusal === 'not-allowed' ? 403 : 409, checked.refusal, checked.message);
        return checked.decision;
      });
      return (await read(id)) as ChangeView;
    },
  };
}

/** Approvers decide in their stages; what changes the course of a delivery is for operators. */
function refuseElsewhere({ verdict }: Requested, state: SequenceState, holder: Holder): void {
  if (verdict !== 'approve' && verdict !== 'reject') {
    if (holder.may.includes('operate')) return;
    throw new Refusal(403, 'not-allowed', `${holder.name} may not ${verdict} a change: that takes the role operator`);
  }
  const closed = closedStages(holder, stagesDecided(state));
  if (closed.length === 0) return;
  const open = holder.stages.length === 0 ? 'no stage' : [...holder.stages].join(', ');
  throw new Refusal(403, 'not-allowed', `${holder.name} may decide in ${open}, not in ${closed.join(', ')}`);
}

function check(afterwards: Afterwards, request: Requested, actor: Holder) {
  const { state, subject } = afterwards;
  const evidence = hashEvidence(state);
  if (request.verdict === 'rollback') return checkRollback(afterwards, request, actor, evidence);
  return checkDecision(state, request, actor, evidence, { subject, anew: startsAnew(afterwards) });
}

/** The stage that is asked for; else the one in which the change is under way. */
function findTarget(states: readonly SequenceState[], stage: string | undefined): SequenceState | undefined {
  const candidates = stage === undefined ? states : states.filter((state) => state.triggered?.place.stage === stage);
  return candidates.findLast((state) => state.phase !== 'finished') ?? candidates.at(-1);
}

function hashEvidence(state: SequenceState): string {
  return createHash('sha256')
    .update(JSON.stringify(evidenceOf(state)))
    .digest('hex');
}

/** @throws {Refusal} it is not one that a page gave */
export function parseCursor(cursor: string): { sort: number; id: string } {
  const [, sort, id] = /^(\d{1,15})~(.{1,200})$/.exec(cursor) ?? [];
  if (sort === undefined || id === undefined)
    throw new Refusal(400, 'invalid-request', 'cursor: take it as it is from "next" of the page before');
  return { sort: Number(sort), id };
}

const VERDICTS = ['approve', 'reject', 'pause', 'resume', 'abort', 'override', 'rollback', 'retry'] as const;

type Requested = DecisionRequest & { stage?: string; by?: RollbackWay };

function parseDecision(body: unknown): Requested {
  if (!isJsonObject(body)) throw new Refusal(400, 'invalid-request', 'the body must be a JSON object');
  const { verdict, reason, revision, evidence, stage, by } = body;
  const known = VERDICTS.find((one) => one === verdict);
  if (known === undefined) throw new Refusal(400, 'invalid-request', `verdict: must be one of ${VERDICTS.join(', ')}`);
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new Refusal(400, 'invalid-request', 'reason: say why, in a few words');
  if (reason.length > MAX_REASON_CHARS)
    throw new Refusal(400, 'invalid-request', `reason: at most ${MAX_REASON_CHARS} characters`);
  if (typeof revision !== 'string' || revision === '')
    throw new Refusal(400, 'invalid-request', 'revision: name the commit that you decide on');
  if (evidence !== undefined && typeof evidence !== 'string')
    throw new Refusal(400, 'invalid-request', 'evidence: must be the hash that the change shows');
  if (stage !== undefined && typeof stage !== 'string')
    throw new Refusal(400, 'invalid-request', 'stage: must be the name of a stage');
  const way = ROLLBACK_WAYS.find((one) => one === by);
  if (by !== undefined && (way === undefined || known !== 'rollback'))
    throw new Refusal(400, 'invalid-request', `by: for a rollback only, one of ${ROLLBACK_WAYS.join(', ')}`);
  return {
    verdict: known,
    reason: reason.trim(),
    revision,
    ...(evidence ? { evidence } : {}),
    ...(stage ? { stage } : {}),
    ...(way === undefined ? {} : { by: way }),
  };
}

/** The API under /api/v1: what the page shows, for programs. */
export function changesRoutes({ store, authentication }: ChangesTools, changes: Changes): Router {
  const router = Router();
  const read = authentication.require('read');
  router.get('/api/v1/changes', read, async (request, response) => {
    response.json(await changes.list(parseQuery(request)));
  });
  router.get('/api/v1/changes/:id', read, async (request, response) => {
    response.json(await found(changes, String(request.params['id'])));
  });
  router.post(
    '/api/v1/changes/:id/decisions',
    authentication.require('decide'),
    express.raw({ type: () => true, limit: MAX_DECISION_BYTES, inflate: false }),
    async (request, response) => {
      if (!request.is('json'))
        throw new Refusal(415, 'unsupported-media-type', 'send the decision as application/json');
      const parsed = parseStrictJson(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
      if (!parsed.ok) throw new Refusal(400, 'invalid-json', parsed.detail);
      const key = request.get('Idempotency-Key');
      response
        .status(201)
        .json(await changes.decide(String(request.params['id']), parsed.value, authentication.holder(response), key));
    },
  );
  router.get('/api/v1/events', read, async (request, response) => {
    const { stream, after, limit } = request.query;
    const events = await store.readLog({
      limit: wholeNumber(limit, 'limit', DEFAULT_PAGE, 1, 1000),
      afterSeq: wholeNumber(after, 'after', 0, 0, Number.MAX_SAFE_INTEGER),
      ...(typeof stream === 'string' ? { stream } : {}),
    });
    const last = events.at(-1);
    response.json({ events: events.map(toCloudEvent), ...(last ? { next: last.seq } : {}) });
  });
  return router;
}

/** An event of the log in CloudEvents form; the log's own columns are extensions. */
function toCloudEvent({ id, source, type, subject, time, data, seq, stream, version }: StoredEvent) {
  return {
    specversion: '1.0',
    id,
    source,
    type,
    ...(subject === undefined ? {} : { subject }),
    time,
    datacontenttype: 'application/json',
    sequencenumber: seq,
    stream,
    ...(version === undefined ? {} : { streamversion: version }),
    data,
  };
}

/** A change, or 404. */
export async function found(changes: Changes, id: string): Promise<ChangeView> {
  const change = await changes.read(id);
  if (!change) throw new Refusal(404, 'not-found', `there is no change ${id}`);
  return change;
}

/** The filters of a list, as the address has them. */
export function parseQuery(request: Request): ChangeQuery {
  const query: ChangeQuery = { limit: wholeNumber(request.query['limit'], 'limit', DEFAULT_PAGE, 1, MAX_PAGE) };
  for (const name of ['project', 'stage', 'service', 'cursor'] as const) {
    const value = request.query[name];
    if (typeof value === 'string' && value !== '') query[name] = value;
  }
  return query;
}

function wholeNumber(value: unknown, name: string, fallback: number, least: number, most: number): number {
  if (value === undefined || value === '') return fallback;
  const number = Number(value);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new Refusal(400, 'invalid-request', `${name}: must be a whole number from ${least} to ${most}`);
  }
  return number;
}
