import { Router } from 'express';
import { isJsonObject, type Json } from '../../base/json.ts';
import type { Place } from '../../events/application.ts';
import { type GateAnswer, scoreForThreshold } from '../../views/gate.ts';
import { judgeForKayenta } from '../../views/kayenta.ts';
import { periodOf as periodWithin } from '../evaluation-request.ts';
import { Refusal } from '../problem.ts';
import { rawBody } from '../raw-body.ts';
import { askerOf, type FaceTools } from './asker.ts';
import type { Gates } from './gates.ts';
import { jsonOf, type Question, questionBody } from './question.ts';

const ROOT = '/api/v1/integrations/kayenta';
/** Ten metrics of both groups with a value per second for an hour each stay below. */
const MAX_JUDGE_BYTES = 1024 * 1024;
const DEFAULT_PERIOD_MS = 300_000;
/** `Date.parse` alone takes "5" for a day in May. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Two faces. Kayenta's API as Argo Rollouts uses it: an evaluation is started and polled, and a score is compared
 * with the thresholds that came with the start. And Kayenta's remote judge, which compares two groups at once.
 */
export function kayentaFace(tools: FaceTools & { now(): Date }, gates: Gates): Router {
  const router = Router();
  const report = tools.authentication.require('report');
  router.get(`${ROOT}/canaryConfig`, report, async (request, response) => {
    const { application } = request.query;
    const called = typeof application === 'string' && application !== '' ? application : undefined;
    const found = await gates.places({ called }, askerOf(tools, request, response));
    response.json(
      found.flatMap(({ place, app }) =>
        namesOf(place, app).map((name) => ({
          id: idOf(place),
          name,
          updatedTimestamp: 0,
          updatedTimestampIso: new Date(0).toISOString(),
          applications: [called ?? app],
        })),
      ),
    );
  });
  router.post(`${ROOT}/canary/:id`, report, questionBody, async (request, response) => {
    const { pass, period } = readStart(jsonOf(request), tools.now());
    const place = placeOf(String(request.params['id']));
    const started = await gates.start(question(place, period), askerOf(tools, request, response));
    if ('answer' in started) throw new Refusal(404, 'not-found', started.answer.reason);
    response.json({ canaryExecutionId: `${started.id}~${pass}` });
  });
  router.get(`${ROOT}/canary/:id`, report, async (request, response) => {
    const [, id, pass] = /^([\w-]{1,100})~(\d{1,3}(?:\.\d+)?)$/.exec(String(request.params['id'])) ?? [];
    if (id === undefined) throw new Refusal(404, 'not-found', 'there is no such canary: take the id from its start');
    response.json(execution(await gates.read(id, askerOf(tools, request, response)), Number(pass)));
  });
  router.post(`${ROOT}/judge`, report, rawBody(MAX_JUDGE_BYTES), (request, response) => {
    const judged = judgeForKayenta(jsonOf(request));
    if (!judged.ok) throw new Refusal(400, 'invalid-request', judged.mistake);
    response.json(judged.result);
  });
  return router;
}

/** Names by which a template may choose the place. */
function namesOf({ project, stage, service }: Place, app: string): string[] {
  return [app, `${app}-slo`, `${project}/${stage}/${service}`];
}

function idOf({ project, stage, service }: Place): string {
  return Buffer.from(JSON.stringify([project, stage, service])).toString('base64url');
}

function placeOf(config: string): Place {
  try {
    const parts = JSON.parse(Buffer.from(config, 'base64url').toString('utf8')) as unknown;
    const [project, stage, service] = Array.isArray(parts) ? parts : [];
    if ([project, stage, service].every((part) => typeof part === 'string' && part !== ''))
      return { project, stage, service } as Place;
  } catch {
    // Told below.
  }
  throw new Refusal(404, 'not-found', `there is no such configuration: take the id from ${ROOT}/canaryConfig`);
}

function question(where: Place, period: { start: string; end: string }): Question {
  return {
    where,
    kind: 'evaluation',
    until: 'verdict',
    timeframeMs: DEFAULT_PERIOD_MS,
    delayMs: 0,
    period,
    key: keyOf(period),
  };
}

/** Two starts for the same period are the same canary, told twice. */
function keyOf({ start, end }: { start: string; end: string }): string {
  return `kayenta/${start}/${end}`;
}

function readStart(body: Json, now: Date): { pass: number; period: { start: string; end: string } } {
  const { thresholds, scopes } = isJsonObject(body) ? body : {};
  const { pass, marginal } = isJsonObject(thresholds) ? thresholds : {};
  if (typeof pass !== 'number' || typeof marginal !== 'number' || !(marginal > 0 && marginal <= pass && pass <= 100))
    throw new Refusal(
      400,
      'invalid-request',
      'thresholds: must be 0 < marginal <= pass <= 100, or a failure would pass',
    );
  return { pass, period: periodOf(scopes, now) };
}

/** The experiment's period; consumers that leave it out mean the last five minutes. */
function periodOf(scopes: Json | undefined, now: Date): { start: string; end: string } {
  const [first] = isJsonObject(scopes) ? Object.values(scopes) : [];
  const scope = isJsonObject(first) ? first['experimentScope'] : undefined;
  const { start, end } = isJsonObject(scope) ? scope : {};
  const endMs = moment(end) ?? now.getTime();
  const startMs = moment(start) ?? endMs - DEFAULT_PERIOD_MS;
  return periodWithin({ start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() }, now);
}

function moment(value: Json | undefined): number | undefined {
  if (value === undefined || value === '' || value === null) return undefined;
  const ms = typeof value === 'string' && TIME.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw new Refusal(400, 'invalid-request', 'scopes: start and end must be ISO 8601 times');
  return ms;
}

const CLASSIFICATIONS = { pass: 'Pass', warning: 'Marginal' } as const;

function execution(answer: GateAnswer, pass: number) {
  const score = scoreForThreshold(answer, pass);
  if (score === undefined) return { complete: false };
  const { result, reason } = answer;
  const classification = result === 'pass' || result === 'warning' ? CLASSIFICATIONS[result] : 'Fail';
  return {
    complete: true,
    result: { judgeResult: { score: { score, classification, classificationReason: reason } } },
  };
}
