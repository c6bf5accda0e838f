import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import { inGit } from '../engine/in-git.ts';
import { short } from '../engine/revisions.ts';
import { lastGood } from '../engine/rollback.ts';
import type { Application } from '../events/application.ts';
import type { SequenceTriggered } from '../events/types.ts';
import { notRolledBack } from './rollback-outcome.ts';
import { followPullRequest, stopPullRequest } from './rollback-pull-request.ts';
import { stopSync, syncBack } from './rollback-sync.ts';
import { errored, type TaskHandler, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

/**
 * Brings a stage back to its last good commit after a change failed there. How and whereto is written down before
 * anything is done, so that every later look goes on with the same.
 */
export const rollback: TaskHandler = {
  name: 'rollback',
  async run(given, tools) {
    const input = named(given);
    const decided = await readDecision(input, tools);
    if (!decided) return decideHow(input, tools);
    return decided.by === 'sync' ? syncBack(input, tools, decided.good) : followPullRequest(input, tools, decided.good);
  },

  async stop(given, tools) {
    const input = named(given);
    const decided = await readDecision(input, tools);
    if (decided?.by === 'sync') await stopSync(input, tools, decided.good);
    if (decided?.by === 'pullRequest') await stopPullRequest(input, tools);
  },
};

/** Its effects have names of their own: a sync of a rollback is not the one of the change. */
function named(input: TaskInput): TaskInput {
  return { ...input, effect: (name, act) => input.effect(`rollback-${name}`, act) };
}

interface Decision {
  by: 'sync' | 'pullRequest';
  good: SequenceTriggered;
}

async function readDecision({ task }: TaskInput, tools: TaskTools): Promise<Decision | undefined> {
  const { by, goodSequence } = task.memo;
  if ((by !== 'sync' && by !== 'pullRequest') || typeof goodSequence !== 'string') return undefined;
  const good = (await tools.history.sequence(goodSequence))?.triggered;
  return good && { by, good };
}

async function decideHow(input: TaskInput, tools: TaskTools): Promise<TaskOutcome> {
  const { triggered } = input;
  const good = await findGood(input, tools);
  if (!good) return notRolledBack(`no other commit is known to have been good in ${triggered.place.stage}`);
  const applications = await readApplications(input, tools);
  if (applications.length === 0) return errored('no application carries the labels of this stage any more');
  const step = plannedStep(input.sequence, 'rollback');
  const syncing = applications.find(({ automated }) => automated);
  const by = step?.by === undefined || step.by === 'auto' ? (syncing ? 'pullRequest' : 'sync') : step.by;
  const begun: JsonObject = { by, good: good.revision, goodSequence: good.sequence };
  const next = (memo: JsonObject) =>
    waiting({ kind: 'sync', sentence: `about to go back to ${short(good.revision)}` }, 0, memo);
  if (by === 'sync') {
    if (!syncing) return next(begun);
    return errored(`${syncing.ref.name} is synced automatically and takes no other commit: use by: pullRequest`);
  }
  const obstacle = whyNoRevert(triggered, good, applications);
  if (obstacle !== undefined) return errored(obstacle);
  const sources = applications
    .flatMap((one) => one.sources)
    .filter(({ repoUrl }) => repoUrl === triggered.source.repoUrl);
  const branch = step?.branch ?? sources[0]?.targetRevision ?? '';
  return next({ ...begun, branch, paths: [...new Set(sources.map(({ path }) => path))] });
}

/** The newest good change before this one. */
async function findGood({ triggered, sequence }: TaskInput, tools: TaskTools): Promise<SequenceTriggered | undefined> {
  const since = sequence.triggered?.at ?? '';
  const past = await tools.history.sequences(triggered.place, new Date(0));
  return lastGood(
    past.filter((other) => (other.triggered?.at ?? '') < since),
    triggered.revision,
  )?.triggered;
}

/** @throws {AdapterError} one of them cannot be read: then nobody knows whether it syncs by itself */
async function readApplications({ triggered, signal }: TaskInput, tools: TaskTools): Promise<Application[]> {
  const refs = await tools.history.applications(triggered.place);
  return Promise.all(
    refs.map((ref) => {
      const system = tools.deliverySystem(ref.system);
      if (system) return system.read(ref, { signal });
      throw new AdapterError('rejected', `the delivery system "${ref.system}" is not configured`);
    }),
  );
}

/** What no revert commit can bring back. */
function whyNoRevert(
  failed: SequenceTriggered,
  good: SequenceTriggered,
  applications: readonly Application[],
): string | undefined {
  const [bad, back] = [inGit(failed), inGit(good)];
  if (applications.some(({ hydration }) => hydration !== undefined))
    return `the branch is written by Argo CD's source hydrator: revert the commit that it hydrates by hand`;
  if (!isCommit(bad.revision) || !isCommit(back.revision))
    return `${short(bad.revision)} is no Git commit that could be reverted: set its version back by hand`;
  if (bad.repository.url !== back.repository.url)
    return 'the application was deployed from another repository then: go back by hand';
  const other = failed.revisions?.findIndex(
    (revision, at) => revision !== bad.revision && revision !== (good.revisions?.[at] ?? revision),
  );
  if (other === undefined || other < 0) return undefined;
  return `source ${other + 1} has changed as well, and no revert brings that back: go back by hand`;
}

function isCommit(revision: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(revision);
}
