import { AdapterError } from '../base/adapter-error.ts';
import type { CheckAnswer } from '../engine/check.ts';
import type { PlannedTask } from '../engine/plan.ts';
import { finishedTask, type SequenceState } from '../engine/sequence.ts';
import { localMinuteOfWeek } from '../engine/windows.ts';
import { assessRisk } from '../risk/assess.ts';
import { type RiskSignals, sensitiveKinds, topLevelDirectories } from '../risk/signals.ts';
import type { TaskInput, TaskTools } from './task.ts';

type Step = Extract<PlannedTask, { name: 'checks' }>;

/** Signals of a service's past reach back this far. */
const PAST_MS = 90 * 24 * 3_600_000;

/** Collects the signals of a change and lets the pure core assess them. */
export async function checkRisk(
  input: TaskInput,
  tools: TaskTools,
  { risk, windows }: Pick<Step, 'risk' | 'windows'>,
  budget: CheckAnswer | undefined,
): Promise<CheckAnswer> {
  const timeZone = windows[0]?.timeZone ?? 'UTC';
  const signals: RiskSignals = {
    ...(await changeSignals(input, tools)),
    ...(await pastSignals(input, tools)),
    ...budgetSignal(budget),
    localMinuteOfWeek: localMinuteOfWeek(input.now, timeZone),
  };
  return assessRisk(signals, risk ?? { approvalAbove: 100 });
}

async function changeSignals({ triggered, signal }: TaskInput, tools: TaskTools): Promise<RiskSignals> {
  const repository = { url: triggered.source.repoUrl };
  const host = tools.gitHost(repository);
  if (!host || triggered.previousRevision === undefined) return {};
  try {
    const { files, totalFiles, totalCommits } = await host.compare(
      repository,
      triggered.previousRevision,
      triggered.revision,
      { signal },
    );
    const paths = files.map(({ path }) => path);
    return {
      lines: files.reduce((sum, { additions, deletions }) => sum + additions + deletions, 0),
      files: totalFiles,
      directories: topLevelDirectories(paths),
      commits: totalCommits,
      sensitive: sensitiveKinds(paths),
    };
  } catch (error) {
    // A commit that was forced away cannot be compared with: the signals are missing, and named as such.
    if (error instanceof AdapterError && error.reason === 'not-found') return {};
    throw error;
  }
}

async function pastSignals({ triggered, sequence, now }: TaskInput, tools: TaskTools): Promise<RiskSignals> {
  const past = await tools.history.sequences(triggered.place, new Date(now.getTime() - PAST_MS));
  const deployments = past.filter(
    (other) => other.triggered?.sequence !== sequence.triggered?.sequence && wasDeployed(other),
  );
  const failures = deployments.filter(
    (other) => other.finished?.result === 'fail' && other.finished.reason === 'failed',
  );
  const last = failures[0]?.finished?.at;
  return {
    history: { deployments: deployments.length, failures: failures.length },
    hoursSinceFailure: last === undefined ? 'none' : (now.getTime() - Date.parse(last)) / 3_600_000,
  };
}

/** Only what reached the cluster tells of risk; an invalid file or a closed window does not. */
function wasDeployed(state: SequenceState): boolean {
  return state.finished !== undefined && finishedTask(state, 'sync')?.status === 'succeeded';
}

function budgetSignal(budget: CheckAnswer | undefined): RiskSignals {
  const remaining = budget?.figures['remaining'];
  return typeof remaining === 'number' ? { budgetRemaining: remaining } : {};
}
