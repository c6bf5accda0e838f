import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Deployment, Operation, Source } from '../../events/application.ts';
import { revisionsIn } from './argocd-sources.ts';
import { array, count, isSafePair, object, objects, optional, text, time } from './go-json.ts';

const PHASES: ReadonlySet<string> = new Set<Operation['phase']>([
  'Running',
  'Terminating',
  'Succeeded',
  'Failed',
  'Error',
]);
const ENDED: ReadonlySet<Operation['phase']> = new Set<Operation['phase']>(['Succeeded', 'Failed', 'Error']);
/** Sorts before every real moment, so that nothing undated is taken for newer than it is. */
const UNDATED = '1970-01-01T00:00:00Z';
/** A message longer than this (a whole manifest in a diff) helps nobody. */
export const MAX_MESSAGE = 2_000;

/** `operation` stays on the object while it runs; only without a state of its own is it still to be picked up. */
export function requestOf(requested: JsonObject | undefined, operation: Operation | undefined) {
  if (requested === undefined) return undefined;
  if (operation !== undefined && !ENDED.has(operation.phase)) return undefined;
  return { infos: infosOf(requested['info']) };
}

export function operationOf(state: JsonObject, sources: readonly Source[]): Operation {
  const requested = object(state['operation']);
  const [sync, initiatedBy] = [object(requested['sync']), object(requested['initiatedBy'])];
  const finishedAt = time(state['finishedAt']);
  const phase = phaseOf(state['phase'], finishedAt);
  const problem = phase === state['phase'] ? '' : `unknown phase ${JSON.stringify(state['phase'] ?? null)}; `;
  return {
    phase,
    startedAt: time(state['startedAt']) ?? UNDATED,
    ...optional('finishedAt', finishedAt),
    ...revisionsIn(object(state['syncResult']), sources),
    infos: infosOf(requested['info']),
    dryRun: sync['dryRun'] === true,
    partial: array(sync['resources']).length > 0 || isJsonObject(object(sync['syncStrategy'])['apply']),
    retrying: phase === 'Running' && finishedAt !== undefined,
    automated: initiatedBy['automated'] === true,
    ...optional('by', text(initiatedBy['username'])),
    ...optional('retries', count(state['retryCount'])),
    ...optional('retryLimit', count(object(requested['retry'])['limit'])),
    message: problem + messageOf(state['message']),
    ...optional('failedHooks', failedHooksOf(object(state['syncResult']))),
  };
}

/** `hookPhase` means something only where `hookType` is set. */
function failedHooksOf(result: JsonObject): string[] | undefined {
  const failed = objects(result['resources']).filter(
    (hook) => hook['hookType'] === 'PreSync' && (hook['hookPhase'] === 'Failed' || hook['hookPhase'] === 'Error'),
  );
  return failed.length === 0 ? undefined : failed.map((hook) => text(hook['name']) ?? '');
}

/** A phase that we do not know is never a success: ended it is an error, else it is waited for. */
function phaseOf(value: Json | undefined, finishedAt: string | undefined): Operation['phase'] {
  if (typeof value === 'string' && PHASES.has(value)) return value as Operation['phase'];
  return finishedAt === undefined ? 'Running' : 'Error';
}

function infosOf(value: Json | undefined): Record<string, string> {
  const pairs = objects(value).map((info) => [text(info['name']) ?? '', info['value']] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => isSafePair(pair)));
}

/** An entry of the history; none when it does not say what was deployed, or when. */
export function deploymentOf(entry: JsonObject, sources: readonly Source[]): Deployment[] {
  const { revision, revisions } = revisionsIn(entry, sources);
  const deployedAt = time(entry['deployedAt']);
  if (revision === undefined || deployedAt === undefined) return [];
  return [
    {
      ...optional('id', count(entry['id'])),
      revision,
      ...optional('revisions', revisions),
      ...optional('startedAt', time(entry['deployStartedAt'])),
      deployedAt,
      ...optional('by', text(object(entry['initiatedBy'])['username'])),
    },
  ];
}

export function messageOf(value: Json | undefined): string {
  return (text(value) ?? '').slice(0, MAX_MESSAGE);
}
