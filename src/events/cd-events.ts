import { derivedId } from '../base/ids.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { commitPurl, imagePurl } from './purl.ts';
import type { SequenceEvent, SequenceTriggered, TaskName } from './types.ts';

/** As the specification has it, version 0.5.1. */
export interface CdEvent {
  context: {
    specversion: '0.5.1';
    id: string;
    source: string;
    type: string;
    timestamp: string;
    chainId: string;
    links?: Link[];
  };
  subject: { id: string; source?: string; content: JsonObject };
  customData: JsonObject;
  customDataContentType: 'application/json';
}

type Link =
  | { linkType: 'PATH'; from: { contextId: string } }
  | { linkType: 'RELATION'; linkKind: string; target: { contextId: string } };

/** What has to be known of a sequence to tell others of it; a folded one has it. */
export interface SequenceTold {
  triggered?: SequenceTriggered & { at: string };
  tasks: readonly { id: string; name: TaskName; memo: JsonObject; data: JsonObject }[];
}

export interface CdEventContext {
  /** Who tells: a URI reference. Our own door refuses what begins like it. */
  source: string;
  /** Where people look at a change. */
  linkTo: (change: string) => string | undefined;
  /** Of the event in the log: tells two ends of one thing apart. */
  eventId: string;
}

type Kind =
  | `pipelinerun.${'queued' | 'started' | 'finished'}`
  | `taskrun.${'started' | 'finished'}`
  | `testsuiterun.${'started' | 'finished'}`
  | `service.${'deployed' | 'upgraded' | 'rolledback'}`
  | `change.${'created' | 'merged'}`;

/** Each type has a version of its own. */
function versionOf(kind: Kind): string {
  return kind === 'change.created' ? '0.4.0' : '0.3.0';
}

/** Where nobody configured our own address. */
const NOWHERE = 'urn:lynceus:change:';
const MAX_ERRORS = 1_000;

/**
 * What one event of a sequence is in the words of CDEvents: none, one, or several. `before` is the sequence as it was
 * before it; the same event always becomes the same ones.
 */
export function cdEventsOf(event: SequenceEvent, before: SequenceTold, context: CdEventContext): CdEvent[] {
  const triggered = event.name === 'sequence.triggered' ? { ...event.data, at: event.at } : before.triggered;
  if (!triggered) return [];
  const scene: Scene = { event, before, triggered, ...context };
  switch (event.name) {
    case 'sequence.triggered':
      return [pipelineRun(scene, 'pipelinerun.queued', {}, promotedFrom(triggered))];
    case 'sequence.started':
      return [pipelineRun(scene, 'pipelinerun.started', {}, path(scene, 'pipelinerun.queued'))];
    case 'task.triggered':
      return [taskStarted(scene, event.data.task, event.data.name)];
    case 'task.waiting':
      return opened(scene, event.data.task, event.data.memo);
    case 'task.finished':
      return [taskFinished(scene, event), ...deployed(scene, event), ...merged(scene, event)];
    case 'decision.made':
      return [];
    case 'sequence.finished':
      return [pipelineRun(scene, 'pipelinerun.finished', ended(event), path(scene, 'pipelinerun.started'))];
  }
}

interface Scene extends CdEventContext {
  event: SequenceEvent;
  before: SequenceTold;
  triggered: SequenceTriggered & { at: string };
}

type Finished = Extract<SequenceEvent, { name: 'task.finished' }>;

/** Of what can happen once only, so that others can be linked to it without being asked for it. */
function contextId(sequence: string, kind: Kind, about = ''): string {
  return derivedId('cdevent', sequence, kind, about);
}

function make(scene: Scene, kind: Kind, id: string, subject: CdEvent['subject'], links: Link[] = []): CdEvent {
  const { source, event, triggered } = scene;
  const { place, context, revision } = triggered;
  return {
    context: {
      specversion: '0.5.1',
      id,
      source,
      type: `dev.cdevents.${kind}.${versionOf(kind)}`,
      timestamp: event.at,
      chainId: context,
      ...(links.length === 0 ? {} : { links }),
    },
    subject: { ...subject, source },
    customData: { lynceus: { change: context, ...place, sequence: triggered.sequence, revision } },
    customDataContentType: 'application/json',
  };
}

function pipelineRun(scene: Scene, kind: Kind, more: JsonObject, links: Link[]): CdEvent {
  const { triggered, event, eventId, linkTo } = scene;
  const { project, stage, service } = triggered.place;
  const uri = linkTo(triggered.context) ?? NOWHERE + encodeURIComponent(triggered.context);
  const content = { pipelineName: `${project}/${stage}/${service}`, uri, ...more };
  // What was taken up again ends twice.
  const about = event.name === 'sequence.finished' ? eventId : '';
  return make(scene, kind, contextId(triggered.sequence, kind, about), { id: triggered.sequence, content }, links);
}

function ended({ data }: Extract<SequenceEvent, { name: 'sequence.finished' }>): JsonObject {
  const isStopped = data.status === 'aborted' || data.reason === 'superseded' || data.reason === 'aborted';
  const outcome = isStopped ? 'cancel' : outcomeOf(data);
  return { outcome, ...(outcome === 'success' ? {} : { errors: data.message.slice(0, MAX_ERRORS) }) };
}

function outcomeOf({ status, result }: Pick<Finished['data'], 'status' | 'result'>): string {
  if (status === 'aborted') return 'cancel';
  if (status === 'errored') return 'error';
  return result === 'fail' ? 'failure' : 'success';
}

function path(scene: Scene, kind: Kind): Link[] {
  return [{ linkType: 'PATH', from: { contextId: contextId(scene.triggered.sequence, kind) } }];
}

function promotedFrom({ promotedBy }: SequenceTriggered): Link[] {
  if (!promotedBy) return [];
  const target = { contextId: contextId(promotedBy.sequence, 'pipelinerun.started') };
  return [{ linkType: 'RELATION', linkKind: 'TRIGGER', target }];
}

function environment({ triggered }: Scene): JsonObject {
  return { environment: { id: triggered.place.stage, source: triggered.place.project } };
}

function taskStarted(scene: Scene, task: string, name: TaskName): CdEvent {
  const links = path(scene, 'pipelinerun.started');
  const kind = name === 'test' ? 'testsuiterun.started' : 'taskrun.started';
  const id = contextId(scene.triggered.sequence, kind, task);
  return make(scene, kind, id, { id: task, content: contentOf(scene, name) }, links);
}

function contentOf(scene: Scene, name: TaskName): JsonObject {
  if (name === 'test') return { ...environment(scene), testSuite: { id: 'tests', name: 'delivery.yaml' } };
  const { project, stage, service } = scene.triggered.place;
  return { taskName: `${name} ${project}/${stage}/${service}`, pipelineRun: { id: scene.triggered.sequence } };
}

function taskFinished(scene: Scene, { data }: Finished): CdEvent {
  const { task, name, message } = data;
  const outcome = outcomeOf(data);
  const words = outcome === 'success' ? {} : { [name === 'test' ? 'reason' : 'errors']: message.slice(0, MAX_ERRORS) };
  const content = { ...contentOf(scene, name), outcome, ...words };
  const [started, finished] = name === 'test' ? TEST : TASK;
  const from = { contextId: contextId(scene.triggered.sequence, started, task) };
  const id = contextId(scene.triggered.sequence, finished, task);
  return make(scene, finished, id, { id: task, content }, [{ linkType: 'PATH', from }]);
}

const TEST = ['testsuiterun.started', 'testsuiterun.finished'] as const;
const TASK = ['taskrun.started', 'taskrun.finished'] as const;

/** A stage runs something else from now on. */
function deployed(scene: Scene, { data }: Finished): CdEvent[] {
  const { task, name, result, status } = data;
  const isDone = status === 'succeeded' && result === 'pass';
  const { triggered } = scene;
  const { service } = triggered.place;
  const isBack = name === 'rollback' && isDone && data.data['by'] === 'sync';
  if (!isBack && !(name === 'rollout' && isDone)) return [];
  const kind =
    isBack || triggered.rollsBack
      ? 'service.rolledback'
      : triggered.previousRevision
        ? 'service.upgraded'
        : 'service.deployed';
  const artifact = isBack ? commitPurl(service, String(data.data['to'] ?? '')) : artifactOf(scene, data.data);
  const from = { contextId: contextId(triggered.sequence, 'taskrun.finished', task) };
  const content = { ...environment(scene), artifactId: artifact };
  const id = contextId(triggered.sequence, kind, task);
  return [make(scene, kind, id, { id: service, content }, [{ linkType: 'PATH', from }])];
}

/** The service's own image where there is one, else the first, else the manifests. */
function artifactOf({ triggered }: Scene, data: JsonObject): string {
  const { service } = triggered.place;
  const images = Array.isArray(data['images']) ? data['images'].filter((image) => typeof image === 'string') : [];
  const own = images.find((image) => image.split(/[@]/)[0]?.split('/').at(-1)?.split(':')[0] === service);
  const image = own ?? images[0];
  return image === undefined ? commitPurl(service, triggered.revision) : imagePurl(image);
}

interface Pull {
  number: number;
  to: string;
  url?: string;
}

/** Pull requests that a promotion has opened since the look before. */
function opened(scene: Scene, task: string, memo: JsonObject): CdEvent[] {
  const known = new Set(
    pullsIn(scene.before.tasks.find(({ id }) => id === task)?.memo ?? {}).map(({ number }) => number),
  );
  return pullsIn(memo)
    .filter(({ number }) => !known.has(number))
    .map((pull) => changeEvent(scene, 'change.created', task, pull));
}

function merged(scene: Scene, { data }: Finished): CdEvent[] {
  if (data.name !== 'promotion') return [];
  const { targets } = data.data;
  const outcomes = isJsonObject(targets) ? Object.values(targets).map(dataOf) : [data.data];
  return outcomes
    .filter((outcome) => typeof outcome['mergeSha'] === 'string' && outcome['mergeSha'] !== '')
    .flatMap((outcome) => pullOf(outcome, String(outcome['to'] ?? '')))
    .map((pull) => changeEvent(scene, 'change.merged', data.task, pull));
}

function dataOf(outcome: unknown): JsonObject {
  return isJsonObject(outcome) && isJsonObject(outcome['data']) ? outcome['data'] : {};
}

function pullsIn(memo: JsonObject): Pull[] {
  const { targets } = memo;
  if (!isJsonObject(targets)) return pullOf(memo, '');
  return Object.entries(targets).flatMap(([to, one]) => (isJsonObject(one) ? pullOf(one, to) : []));
}

function pullOf(memo: JsonObject, to: string): Pull[] {
  const { pullRequest, url } = memo;
  if (typeof pullRequest !== 'number' || pullRequest <= 0) return [];
  return [{ number: pullRequest, to, ...(typeof url === 'string' && /^https?:/.test(url) ? { url } : {}) }];
}

function changeEvent(scene: Scene, kind: 'change.created' | 'change.merged', task: string, pull: Pull): CdEvent {
  const { triggered } = scene;
  const description = `Promote ${triggered.place.service} from ${triggered.place.stage}${pull.to === '' ? '' : ` to ${pull.to}`}`;
  const content = {
    repository: { id: repositoryOf(triggered.source.repoUrl) },
    ...(kind === 'change.created' ? { description } : {}),
  };
  const from = { contextId: contextId(triggered.sequence, 'taskrun.started', task) };
  const id = contextId(triggered.sequence, kind, `${task} ${pull.number}`);
  return make(scene, kind, id, { id: pull.url ?? String(pull.number), content }, [{ linkType: 'PATH', from }]);
}

/** Without user and password. */
function repositoryOf(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//') || 'unknown';
}

/** In a CloudEvent, as the HTTP binding carries it (structured). */
export function inCloudEvent(event: CdEvent): JsonObject {
  const { id, source, type, timestamp } = event.context;
  return {
    specversion: '1.0',
    id,
    source,
    type,
    subject: event.subject.id,
    time: timestamp,
    datacontenttype: 'application/json',
    data: event as unknown as JsonObject,
  };
}
