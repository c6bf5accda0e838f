import type { JsonObject } from '../base/json.ts';
import { inGit } from '../engine/in-git.ts';
import { followPromotion } from './promotion-follow.ts';
import { chosenBefore, whatToPromote } from './promotion-hydrated.ts';
import { openPromotion } from './promotion-open.ts';
import { itsTurn, type Way } from './promotion-turn.ts';
import { errored, type TaskInput, type TaskOutcome, type TaskTools } from './task.ts';

/**
 * One look at the way to one stage: opens its pull request once it is its turn, or follows it. What exists on the host is
 * read back first: there is at most one open per service and stage, and it never brings anything but what was evaluated.
 * `memo` of what it answers is the target's.
 */
export async function lookAtTarget(input: TaskInput, tools: TaskTools, way: Way): Promise<TaskOutcome> {
  const { step, target, memo } = way;
  const known = numberIn(memo);
  const turn = known === undefined ? await itsTurn(input, tools, way) : undefined;
  if (turn && turn.kind !== 'turn') return turn;
  const what = await whatToPromote(input, tools, target, memo);
  if ('kind' in what) return what;
  const { repository, revision } = what;
  const host = tools.gitHost(repository);
  if (!host) return errored(`no Git host is configured for ${repository.url}`);
  const { head = revision } = memo;
  const scene = { input, tools, step, target, memo, host, repository, revision, head: String(head) };
  if (turn) return openPromotion(scene, turn);
  return followPromotion(scene, await host.readPullRequest(repository, known ?? 0, input));
}

/** Closes what is open. */
export async function stopTarget(input: TaskInput, tools: TaskTools, memo: JsonObject): Promise<void> {
  const { repository } = chosenBefore(memo) ?? inGit(input.triggered);
  const host = tools.gitHost(repository);
  const number = numberIn(memo);
  if (!host || number === undefined) return;
  await input.effect('close', () => host.closePullRequest(repository, number, 'The promotion was stopped.', input));
}

function numberIn({ pullRequest }: JsonObject): number | undefined {
  return typeof pullRequest === 'number' ? pullRequest : undefined;
}
