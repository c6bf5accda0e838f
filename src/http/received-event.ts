import { derivedId } from '../base/ids.ts';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import type { NewEvent, NewJob } from '../store/store.ts';
import { isOurs, PUSHED } from './cloud-event.ts';
import { readEvaluationRequest } from './evaluation-request.ts';
import { Refusal } from './problem.ts';
import { refuseProject, reportWithin, type Scope } from './project-scope.ts';
import { readReport } from './reports/read-report.ts';

/** What Keptn's users send to have a service judged. */
const KEPTN_EVALUATION = /^sh\.keptn\.event\.(?:([a-z0-9-]+)\.)?evaluation\.triggered$/;

const MAX_INDICATORS = 500;
const MAX_NAME = 200;

/**
 * The work that a CloudEvent of others asks for: most ask for nothing and are only kept.
 *
 * @throws {Refusal} it asks for something, but not in a way that can be understood
 */
export function jobsOfEvent(event: NewEvent, now: Date, sender: Scope): NewJob[] {
  const data = event.data['data'] ?? null;
  if (event.type === PUSHED) {
    const push = readPush(data, event, now);
    refuseProject(sender, push.place.project);
    return [receivedJob(event, { kind: 'indicators', ...push })];
  }
  const read = readReport(event, now);
  const report = read && reportWithin(read, sender);
  if (report) return [receivedJob(event, { kind: 'report', report: report as unknown as JsonObject })];
  const keptn = KEPTN_EVALUATION.exec(event.type);
  if (!keptn) return [];
  const asked = readKeptn(data, event, now);
  refuseProject(sender, asked.place.project);
  return [receivedJob(event, { kind: 'evaluation', ...asked })];
}

function receivedJob({ source, id: given }: NewEvent, payload: JsonObject): NewJob {
  const id = derivedId('received', source, given);
  return { queue: 'received', key: id, payload: { ...payload, id } };
}

/** The same of an event that was taken before: what it asks for by now, where it can still be understood. */
export function jobsInLog(event: NewEvent, heardAt: Date): NewJob[] {
  if (isOurs(event)) return [];
  const { projects } = event.data;
  const sender: Scope = { name: event.source, method: 'token', ...(isNames(projects) ? { projects } : {}) };
  try {
    return jobsOfEvent(event, heardAt, sender);
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}

function isNames(value: Json | undefined): value is string[] {
  return Array.isArray(value);
}

/** The log keeps how far its sender's word goes: reports are read from there again. */
export function eventOfScope(event: NewEvent, { projects }: Scope): NewEvent {
  return projects === undefined ? event : { ...event, data: { ...event.data, projects: [...projects] } };
}

function readPush(data: Json, event: NewEvent, now: Date) {
  if (!isJsonObject(data)) throw refusal('data', 'must be an object with project, stage, service and indicators');
  const place = placeOf(data);
  const { revision, indicators } = data;
  if (revision !== undefined && (typeof revision !== 'string' || !/^[0-9a-f]{7,64}$/.test(revision)))
    throw refusal('data.revision', 'must be a commit of 7 to 64 hexadecimal digits');
  if (!isJsonObject(indicators) || Object.keys(indicators).length === 0)
    throw refusal('data.indicators', 'must be an object with at least one number, such as {"findings": 3}');
  const names = Object.keys(indicators);
  if (names.length > MAX_INDICATORS) throw refusal('data.indicators', `has more than ${MAX_INDICATORS} numbers`);
  for (const name of names) {
    if (name.length > MAX_NAME) throw refusal('data.indicators', `has a name of more than ${MAX_NAME} characters`);
    if (!Number.isFinite(indicators[name]))
      throw refusal(`data.indicators.${name.slice(0, 60)}`, 'must be a finite number');
  }
  // A clock that is ahead must not outdo everything that comes later.
  const at = new Date(Math.min(Date.parse(event.time), now.getTime())).toISOString();
  return { place, at, indicators, ...(revision === undefined ? {} : { revision }) };
}

/** `data` as Keptn has it: place at the top, period under `evaluation`; the context is an extension. */
function readKeptn(data: Json, event: NewEvent, now: Date) {
  if (!isJsonObject(data)) throw refusal('data', 'must be an object with project, stage and service');
  const place = placeOf(data);
  const asked = isJsonObject(data['evaluation']) ? data['evaluation'] : {};
  const { start, end, timeframe } = asked;
  const labels = isJsonObject(data['labels']) ? data['labels'] : undefined;
  const body = {
    ...place,
    ...(isText(start) ? { start: inUtc(start) } : {}),
    ...(isText(end) ? { end: inUtc(end) } : {}),
    ...(isText(timeframe) ? { timeframe } : {}),
    ...(labels ? { labels } : {}),
  };
  const { period, labels: read = {} } = readEvaluationRequest(body, now);
  const extensions = event.data['extensions'];
  const context = isJsonObject(extensions) ? extensions['shkeptncontext'] : undefined;
  return {
    place,
    period,
    labels: read,
    requestedBy: event.source,
    ...(isText(context) ? { context: context.slice(0, MAX_NAME) } : {}),
  };
}

/** Keptn takes times without a zone, as UTC. */
function inUtc(time: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?$/.test(time) ? `${time}Z` : time;
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function placeOf(data: JsonObject) {
  const [project, stage, service] = (['project', 'stage', 'service'] as const).map((name) => {
    const value = data[name];
    if (isText(value) && value.length <= 100) return value;
    throw refusal(`data.${name}`, 'must be a name of at most 100 characters');
  });
  return { project: project ?? '', stage: stage ?? '', service: service ?? '' };
}

function refusal(path: string, message: string): Refusal {
  return new Refusal(400, 'invalid-event', `${path}: ${message}`, [{ path, message }]);
}
