import { isJsonObject } from '../base/json.ts';
import { soakMsOf } from '../engine/decide.ts';
import { finishedTask, type SequenceState, worstResult } from '../engine/sequence.ts';
import { type Footprint, familiarity, fingerprint, readFootprint } from '../risk/change.ts';
import { deploymentOf, judgeDeployments } from '../risk/deployments.ts';
import type { RiskSignals } from '../risk/signals.ts';
import type { TaskInput, TaskTools } from './task.ts';

/** Signals of a service's past reach back this far. */
const PAST_MS = 90 * 86_400_000;
const HOUR_MS = 3_600_000;
/** What a change should run in one stage before the next, where the stage itself says nothing. */
const USUAL_SOAK_MS = HOUR_MS;

/** What our own records say: of the service here, of its authors, and of the stage that the change comes from. */
export async function pastSignals(
  input: TaskInput,
  tools: TaskTools,
  footprint: Footprint | undefined,
): Promise<RiskSignals> {
  const { triggered, now } = input;
  const all = await tools.history.sequences(triggered.place, new Date(now.getTime() - PAST_MS));
  const past = all.filter((other) => other.triggered?.sequence !== triggered.sequence);
  const authors = footprint && familiarity(footprint, past.flatMap(footprintIn));
  return {
    ...historySignals(past, input),
    ...(authors === undefined ? {} : { authors }),
    ...(await previousSignals(input, tools, footprint)),
  };
}

function historySignals(past: readonly SequenceState[], { triggered, now }: TaskInput): RiskSignals {
  const deployments = past.map(deploymentOf).filter((one) => one !== undefined);
  const judged = judgeDeployments(deployments);
  const failures = judged.filter(({ failed }) => failed);
  const since = (at: string | undefined) =>
    at === undefined ? undefined : Math.max(0, now.getTime() - Date.parse(at));
  const failed = since(failures.at(-1)?.at);
  const deployed = since(
    deployments
      .map(({ at }) => at)
      .sort()
      .at(-1),
  );
  // What runs now is no way back, however often it ran.
  const before = deployments.filter(({ revision }) => revision !== triggered.previousRevision);
  return {
    history: { deployments: judged.length, failures: failures.length },
    hoursSinceFailure: failed === undefined ? 'none' : failed / HOUR_MS,
    ...(deployed === undefined ? {} : { daysSinceDeployment: deployed / (24 * HOUR_MS) }),
    ...(before.some(({ revision }) => revision === triggered.revision) ? { rollback: true } : {}),
  };
}

async function previousSignals(
  { triggered, sequence, now }: TaskInput,
  tools: TaskTools,
  footprint: Footprint | undefined,
): Promise<RiskSignals> {
  if (!triggered.promotedBy) return {};
  const previous = await tools.history.sequence(triggered.promotedBy.sequence);
  if (!previous) {
    const why = 'the record of the stage before is gone';
    return { unknown: { previousStage: why, previousSoak: why } };
  }
  const arrivedMs = sequence.triggered ? Date.parse(sequence.triggered.at) : now.getTime();
  const ranSince = finishedTask(previous, 'rollout')?.finishedAt;
  const ranMs = ranSince === undefined ? 0 : arrivedMs - Date.parse(ranSince);
  const selfApproved = approvedByAuthor(previous, footprint);
  return {
    previousResult: worstResult(previous),
    previousSoak: { ranMs: Math.max(0, ranMs), expectedMs: soakMsOf(previous) || USUAL_SOAK_MS },
    ...(selfApproved === undefined ? {} : { selfApproved }),
  };
}

/** `undefined`: nobody approved it, or its authors are not known. */
function approvedByAuthor(previous: SequenceState, footprint: Footprint | undefined): boolean | undefined {
  const approvers = previous.tasks
    .flatMap(({ decisions }) => decisions)
    .filter(({ verdict }) => verdict === 'approve')
    .map(({ actor }) => fingerprint(actor));
  if (approvers.length === 0 || !footprint) return undefined;
  return approvers.some((approver) => footprint.authors.includes(approver));
}

function footprintIn(state: SequenceState): Footprint[] {
  const answers = finishedTask(state, 'checks')?.data['answers'];
  if (!Array.isArray(answers) || !deploymentOf(state)) return [];
  const risk = answers.filter(isJsonObject).find((one) => one['check'] === 'risk');
  const figures = isJsonObject(risk?.['figures']) ? risk['figures'] : {};
  const footprint = readFootprint(figures['footprint']);
  return footprint ? [footprint] : [];
}
