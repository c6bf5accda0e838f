import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { type Application, applicationKey } from '../events/application.ts';
import { errored, type TaskInput, type TaskOutcome, type TaskTools } from './task.ts';

type Look = (
  input: TaskInput,
  tools: TaskTools,
  system: DeliverySystem,
  application: Application,
) => Promise<TaskOutcome>;

/**
 * Looks at every application that runs the service in the stage (one per cluster) and puts the answers
 * together: any failure fails, then any that waits waits, and all have to pass.
 */
export async function overallOutcome(input: TaskInput, tools: TaskTools, look: Look): Promise<TaskOutcome> {
  const refs = await tools.history.applications(input.triggered.place);
  if (refs.length === 0)
    return errored('no application carries the labels of this project, stage and service any more');
  const outcomes: TaskOutcome[] = [];
  const applications: Application[] = [];
  let current = input;
  for (const ref of refs) {
    const system = tools.deliverySystem(ref.system);
    if (!system) return errored(`the delivery system "${ref.system}" is not configured`);
    const application = await system.read(ref, { signal: input.signal });
    const outcome = await look(current, tools, system, application);
    outcomes.push(outcome);
    applications.push(application);
    // What one look remembers, the next must not forget.
    if (outcome.kind === 'waiting' && outcome.memo)
      current = { ...current, task: { ...current.task, memo: outcome.memo } };
  }
  const overall = worst(outcomes, current.task.memo);
  return refs.length > 1 ? withClusters(overall, clustersOf(applications, outcomes)) : overall;
}

/** For people: how it stands in each of several clusters, by the shortest names that tell them apart. */
function clustersOf(applications: readonly Application[], outcomes: readonly TaskOutcome[]): JsonObject[] {
  const ways = [
    ({ cluster, ref }: Application) => cluster ?? ref.system,
    ({ ref }: Application) => ref.system,
    ({ ref }: Application) => ref.name,
  ];
  const tellsApart = (name: (application: Application) => string) =>
    new Set(applications.map(name)).size === applications.length;
  const name = ways.find(tellsApart) ?? (({ ref }: Application) => applicationKey(ref));
  return applications.map((application, at) => {
    const outcome = outcomes[at];
    const state = outcome?.kind !== 'finished' ? 'running' : outcome.result === 'fail' ? 'failed' : 'passed';
    const syncedAt = state === 'passed' ? application.operation?.finishedAt : undefined;
    return { name: name(application), state, ...(syncedAt === undefined ? {} : { syncedAt }) };
  });
}

function withClusters(outcome: TaskOutcome, clusters: JsonObject[]): TaskOutcome {
  if (outcome.kind === 'waiting') return { ...outcome, memo: { ...outcome.memo, clusters } };
  return { ...outcome, data: { ...outcome.data, clusters } };
}

function worst(outcomes: readonly TaskOutcome[], memo: JsonObject): TaskOutcome {
  const bad = outcomes.find((outcome) => outcome.kind === 'finished' && outcome.result === 'fail');
  if (bad) return bad;
  const blocked = outcomes.filter((outcome) => outcome.kind === 'waiting');
  const [first] = blocked;
  if (first) return { ...first, memo, askAgainMs: Math.min(...blocked.map(({ askAgainMs }) => askAgainMs)) };
  const [good] = outcomes;
  if (!good) throw new AdapterError('bad-response', 'no application was looked at');
  return good;
}
