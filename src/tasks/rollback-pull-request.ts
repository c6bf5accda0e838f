import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { clip } from '../base/clip.ts';
import { plannedStep } from '../engine/decide.ts';
import { inGit } from '../engine/in-git.ts';
import { short } from '../engine/revisions.ts';
import { wasGood } from '../engine/rollback.ts';
import type { SequenceState } from '../engine/sequence.ts';
import type { SequenceTriggered } from '../events/types.ts';
import { revertMergeMessage } from '../promotion/revert.ts';
import { gitPollMs } from './git-poll.ts';
import { openRevert } from './rollback-open.ts';
import { notRolledBack } from './rollback-outcome.ts';
import { type RevertScene, revertIdentity } from './rollback-scene.ts';
import { verifyMerged } from './rollback-verify.ts';
import { errored, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

/** How many of the newest changes are looked through for one that came later; there are rarely two. */
const LOOK_BACK = 50;

/**
 * Opens the pull request that takes the failed change back, follows it until it is merged or closed, and then what it
 * brings until it runs. The branch is never pushed to: merging takes back the failed change alone, whatever came after
 * it, or is refused.
 */
export async function followPullRequest(
  input: TaskInput,
  tools: TaskTools,
  good: SequenceTriggered,
): Promise<TaskOutcome> {
  const { repository, revision: bad } = inGit(input.triggered);
  const host = tools.gitHost(repository);
  if (!host) return errored(`no Git host is configured for ${repository.url}, so no revert can be proposed`);
  const scene: RevertScene = { input, tools, good, host, repository, bad, back: inGit(good).revision };
  const { pullRequest, mergeSha } = input.task.memo;
  if (typeof mergeSha === 'string') return verifyMerged(scene, mergeSha);
  if (typeof pullRequest !== 'number') return openRevert(scene);
  return follow(scene, await host.readPullRequest(repository, pullRequest, input));
}

/** Closes what nobody has merged yet. */
export async function stopPullRequest(input: TaskInput, tools: TaskTools): Promise<void> {
  const { repository } = inGit(input.triggered);
  const host = tools.gitHost(repository);
  const number = input.task.memo['pullRequest'];
  if (!host || typeof number !== 'number') return;
  await input.effect('close', () => host.closePullRequest(repository, number, 'The rollback was stopped.', input));
}

async function follow(scene: RevertScene, pullRequest: PullRequest): Promise<TaskOutcome> {
  const { number, state, mergeSha, endedBy } = pullRequest;
  if (state === 'merged') return verifyMerged(scene, mergeSha ?? '');
  const newer = await newerChanges(scene);
  if (state === 'open') return followOpen(scene, pullRequest, newer);
  const rejection = scene.input.task.decisions.find(({ verdict }) => verdict === 'reject');
  if (rejection) return notRolledBack(`rejected by ${rejection.actor}: ${rejection.reason}`);
  if (newer.some(({ tasks }) => tasks.some(({ name }) => name === 'rollback')))
    return notRolledBack(`pull request ${number} made room for the rollback of a newer change`);
  return notRolledBack(`pull request ${number} was closed${endedBy ? ` by ${endedBy}` : ''}`);
}

/** Changes that came to this stage after the failed one; reverts are none. */
async function newerChanges({ input, tools }: RevertScene): Promise<SequenceState[]> {
  const since = input.sequence.triggered?.at ?? '';
  const found = await tools.history.sequences(input.triggered.place, new Date(since), LOOK_BACK);
  return found.filter(({ triggered }) => triggered && triggered.at > since && !triggered.rollsBack);
}

async function followOpen(
  scene: RevertScene,
  pullRequest: PullRequest,
  newer: readonly SequenceState[],
): Promise<TaskOutcome> {
  const { input, host } = scene;
  const { number, headSha } = pullRequest;
  const mended = newer.find(wasGood)?.triggered;
  if (mended) {
    const sentence = `the newer ${short(mended.revision)} is good`;
    return (await close(scene, number, `Not needed any more: ${sentence}.`)) ?? notRolledBack(sentence);
  }
  if (headSha !== input.task.memo['head'])
    return conflict(scene, `pull request ${number} no longer points at the revert that was prepared`);
  const decisions = host.capabilities.reviews === 'lynceus' ? input.task.decisions : [];
  const rejection = decisions.find(({ verdict }) => verdict === 'reject');
  if (rejection) {
    const said = `rejected by ${rejection.actor}: ${rejection.reason}`;
    return (await close(scene, number, `Rollback ${said}`)) ?? notRolledBack(said);
  }
  const approval = decisions.find(({ verdict }) => verdict === 'approve');
  if (approval) return merge(scene, number, approval.actor);
  if (await mayMerge(scene, newer)) return merge(scene, number, 'Lynceus, as the policy says');
  return review(scene, number);
}

/** Only while nothing else has happened: what came since may be the remedy, and only a person can tell. */
async function mayMerge({ input, host, repository, bad }: RevertScene, newer: readonly SequenceState[]) {
  const { branch, byHand } = input.task.memo;
  const automatic = plannedStep(input.sequence, 'rollback')?.merge === 'automatic';
  if (!automatic || byHand !== undefined || newer.length > 0) return false;
  return (await host.resolve(repository, String(branch), input)) === bad;
}

/** Answers what follows when it turns out to be merged already. */
async function close(scene: RevertScene, number: number, comment: string): Promise<TaskOutcome | undefined> {
  const { input, host, repository } = scene;
  const closed = await input.effect('close', () => host.closePullRequest(repository, number, comment, input));
  return closed.state === 'merged' ? verifyMerged(scene, closed.mergeSha ?? '') : undefined;
}

async function merge(scene: RevertScene, number: number, by: string): Promise<TaskOutcome> {
  const { input, host, repository } = scene;
  const expectedHeadSha = String(input.task.memo['head']);
  const message = revertMergeMessage(revertIdentity(scene), number);
  try {
    const act = () => host.mergePullRequest(repository, number, { expectedHeadSha, message, by }, input);
    const merged = await input.effect('merge', act);
    return verifyMerged(scene, merged.mergeSha ?? '');
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    if (error.reason === 'conflict') return conflict(scene, `revert pull request ${number}: ${error.message}`);
    if (error.reason !== 'rejected' && error.reason !== 'forbidden') throw error;
    return review(scene, number);
  }
}

async function conflict(scene: RevertScene, sentence: string): Promise<TaskOutcome> {
  return waiting({ kind: 'conflict', sentence: clip(sentence) }, await pollOf(scene), scene.input.task.memo);
}

async function review(scene: RevertScene, number: number): Promise<TaskOutcome> {
  const { input, host } = scene;
  const where = host.capabilities.reviews === 'lynceus' ? 'here' : 'at the Git host';
  const sentence = `revert pull request ${number} needs an approval ${where}`;
  return waiting({ kind: 'review', sentence }, await pollOf(scene), input.task.memo);
}

function pollOf({ tools, host, repository }: RevertScene): Promise<number> {
  return gitPollMs(tools, host, repository);
}
