import { derivedId } from '../../base/ids.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import { readArtifact } from '../../events/artifact-url.ts';
import { pullRequestKey, readPullRequestUrl } from '../../events/pull-request-url.ts';
import { isFullCommit, type Report, type ReportKind, type ReportState } from '../../events/report.ts';
import { webUrl } from '../../events/written.ts';
import type { NewEvent } from '../../store/store.ts';
import { CONTENTS, type Content, Envelope, type Subject } from './cd-event-schemas.ts';
import { checkFor, given, line, moment } from './fields.ts';
import { Facts, factsOf } from './short-form.ts';

const TYPE = /^dev\.cdevents\.([a-z]+)\.([a-z]+)\./;

/**
 * What happened, by subject and predicate of the type. What is not here says nothing about a change: it is checked, kept
 * and acknowledged.
 */
const MEANINGS: Readonly<Record<Subject, { kind: ReportKind; predicates: Readonly<Record<string, ReportState>> }>> = {
  artifact: {
    kind: 'image',
    // What was downloaded or deleted says nothing about the way to the cluster.
    predicates: { packaged: 'finished', published: 'finished', signed: 'finished' },
  },
  build: { kind: 'build', predicates: { queued: 'queued', started: 'started', finished: 'finished' } },
  change: {
    kind: 'pull-request',
    predicates: {
      created: 'started',
      updated: 'started',
      reviewed: 'started',
      merged: 'finished',
      abandoned: 'cancelled',
    },
  },
  incident: { kind: 'incident', predicates: { detected: 'started', reported: 'started', resolved: 'finished' } },
  pipelinerun: { kind: 'pipeline', predicates: { queued: 'queued', started: 'started', finished: 'finished' } },
  service: { kind: 'deploy', predicates: { deployed: 'finished', upgraded: 'finished', rolledback: 'finished' } },
  taskrun: { kind: 'task', predicates: { started: 'started', finished: 'finished' } },
  testcaserun: {
    kind: 'test',
    predicates: { queued: 'queued', started: 'started', finished: 'finished', skipped: 'cancelled' },
  },
  testsuiterun: { kind: 'test', predicates: { queued: 'queued', started: 'started', finished: 'finished' } },
};

/** Lists filter by these. */
const MAX_NAME = 100;

const checkEnvelope = checkFor(Envelope, 'CDEvent');
const checkFacts = checkFor(Facts, 'customData.lynceus');
const checkContent = Object.fromEntries(
  Object.entries(CONTENTS).map(([subject, schema]) => [subject, checkFor(schema, `content of ${subject}`)]),
);

/** Whether an event is one that CDEvents define. */
export function isCdEvent({ type }: Pick<NewEvent, 'type'>): boolean {
  return type.startsWith('dev.cdevents.');
}

/**
 * What a CDEvent tells of a change; `undefined` for those that tell nothing of one.
 *
 * @throws {Refusal} it is no CDEvent
 */
export function readCdEvent(data: Json, event: NewEvent, now: Date): Report | undefined {
  const { context, subject } = checkEnvelope(data);
  const [, name = '', predicate = ''] = TYPE.exec(context.type) ?? [];
  if (!isSubject(name)) return undefined;
  const content = checkContent[name]?.(subject.content ?? {}) as Content;
  const { kind, predicates } = MEANINGS[name];
  const state = Object.hasOwn(predicates, predicate) ? predicates[predicate] : undefined;
  if (state === undefined) return undefined;
  const told = factsOf(ownFacts(data));
  const source = subject.source ?? context.source;
  const { chainId } = context;
  return {
    ...meant(name, subject.id, source, content),
    ...told,
    id: derivedId('report', event.source, event.id),
    source: context.source,
    type: context.type,
    kind,
    state: outcomeOf(content, state),
    at: moment(context.timestamp, now),
    heardAt: now.toISOString(),
    run: JSON.stringify([source, kind, subject.id]),
    ...(chainId === undefined ? {} : { chain: chainId }),
  };
}

function isSubject(name: string): name is Subject {
  return Object.hasOwn(CONTENTS, name);
}

/** What CDEvents have no words for: the commit, the service. */
function ownFacts(data: Json): Facts {
  const custom = isJsonObject(data) ? data['customData'] : undefined;
  return isJsonObject(custom) && custom['lynceus'] !== undefined ? checkFacts(custom['lynceus']) : {};
}

/** Only what says that it went well, or says nothing, went well. */
function outcomeOf({ outcome }: Content, state: ReportState): ReportState {
  if (state !== 'finished' || outcome === undefined || outcome === 'success' || outcome === 'pass') return state;
  return outcome === 'cancel' ? 'cancelled' : 'failed';
}

function meant(name: Subject, id: string, source: string, content: Content): Partial<Report> {
  const artifact = artifactOf(name === 'artifact' ? id : content.artifactId);
  const partOf = partOfOf(name, id, source, content);
  const common = given<Partial<Report>>({
    ...artifact,
    stage: line(content.environment?.id, MAX_NAME),
    service: line(name === 'service' ? id : content.service?.id, MAX_NAME),
    detail: line(content.reason ?? content.errors ?? (name === 'incident' ? content.description : undefined)),
    url: webUrl(content.uri),
    partOf,
    step: content.taskName === undefined ? undefined : { name: line(content.taskName) ?? '?' },
  });
  if (name === 'artifact') return { ...common, ...changeNamed(content.change?.id, content.change?.source, undefined) };
  if (name !== 'change') return common;
  return {
    ...common,
    ...changeNamed(id, source, content.repository),
    ...given({ title: line(content.description, 200) }),
  };
}

/** A case belongs to its suite, a task to its pipeline, which tells what its tasks are about. */
function partOfOf(
  name: Subject,
  id: string,
  source: string,
  { pipelineRun, testSuiteRun }: Content,
): string | undefined {
  if (name === 'pipelinerun') return JSON.stringify([source, 'pipeline', id]);
  if (pipelineRun) return JSON.stringify([pipelineRun.source ?? source, 'pipeline', pipelineRun.id]);
  return testSuiteRun && JSON.stringify([testSuiteRun.source ?? source, 'test', testSuiteRun.id]);
}

function artifactOf(text: string | undefined): Partial<Report> {
  if (text === undefined) return {};
  const { image, digest, tag } = readArtifact(text);
  return given<Partial<Report>>({
    image: line(image),
    digest,
    version: line(tag, MAX_NAME),
    loose: digest === undefined && tag !== undefined ? given({ tag: line(tag) }) : undefined,
  });
}

/** CDEvents call a commit as well as a pull request a change. */
function changeNamed(
  id: string | undefined,
  source: string | undefined,
  repository: { id: string; source?: string } | undefined,
): Partial<Report> {
  if (id === undefined) return {};
  const commit = id.toLowerCase();
  if (isFullCommit(commit)) return { commit };
  const found = [id, source ?? '', `${source ?? ''}/${id}`].map(readPullRequestUrl).find((one) => one !== undefined);
  if (found) return { pullRequest: found };
  const number = /^[#!]?(\d{1,12})$/.exec(id)?.[1];
  const host = repository?.source;
  if (number === undefined || repository === undefined || host === undefined || !URL.canParse(host)) return {};
  const key = pullRequestKey(`${new URL(host).host}/${repository.id.replace(/^\/+|\/+$/g, '')}`, Number(number));
  // Its address is a link for people: no script, and no password that is in it.
  const url = webUrl(host) ?? `https://${new URL(host).host}`;
  return { pullRequest: { url, key, number: Number(number) } };
}

/** A CDEvent that came by itself, without a CloudEvent around it, as its parts. @throws {Refusal} it is none */
export function eventOfCdEvent(value: JsonObject): NewEvent {
  const { context, subject } = checkEnvelope(value);
  const { id, source, type, timestamp } = context;
  return { id, source, type, time: timestamp, subject: subject.id, data: { data: value } };
}
