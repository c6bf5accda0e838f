import { AdapterError } from '../base/adapter-error.ts';
import { clip } from '../base/clip.ts';
import { sayDuration } from '../base/duration.ts';
import type { JsonObject } from '../base/json.ts';
import { inGit } from '../engine/in-git.ts';
import { short } from '../engine/revisions.ts';
import type { SequenceState } from '../engine/sequence.ts';
import { withOutcome } from '../promotion/revert.ts';
import { notRolledBack, rolledBack } from './rollback-outcome.ts';
import type { RevertScene } from './rollback-scene.ts';
import { fail, type TaskOutcome, waiting } from './task.ts';

const POLL_MS = 2_000;
/** How many of the newest sequences are looked through for the one that delivers the revert. */
const LOOK_BACK = 50;
/** So long may it take until a delivery system has seen a merge. */
const ARRIVES_WITHIN_MS = 15 * 60_000;

/**
 * Follows the merged revert until the stage runs it. It is delivered by a sequence of its own, like any commit; only
 * what that one says counts.
 */
export async function verifyMerged(scene: RevertScene, mergeSha: string): Promise<TaskOutcome> {
  const { input, tools, good } = scene;
  const { memo } = input.task;
  const mergedAt = String(memo['mergedAt'] ?? input.now.toISOString());
  const since = input.sequence.triggered?.at ?? '';
  const later = await tools.history.sequences(input.triggered.place, new Date(since), LOOK_BACK);
  const found = later.find(({ triggered }) => triggered && inGit(triggered).revision === mergeSha);
  const what = memo['pullRequest'] === undefined ? 'the revert' : `pull request ${String(memo['pullRequest'])}`;
  const data: JsonObject = { by: 'pullRequest', to: good.revision, goodSequence: good.sequence, mergeSha };
  for (const key of ['pullRequest', 'url']) if (memo[key] !== undefined) data[key] = memo[key];
  if (found?.finished) return finish(scene, found, what, { ...data, verifiedBy: found.triggered?.sequence ?? '' });
  if (!found && (await isTakenOver(scene, mergeSha, later)))
    return notRolledBack(`${what} is merged, and a newer change took over before it was verified`, data);
  const waitedMs = input.now.getTime() - Date.parse(mergedAt);
  if (!found && waitedMs > ARRIVES_WITHIN_MS)
    return fail(`${what} is merged, but nothing was asked to deploy it for ${sayDuration(ARRIVES_WITHIN_MS)}`, data);
  const sentence = clip(`${what} is merged; ${short(mergeSha)} has to be deployed and healthy`);
  return waiting({ kind: 'sync', sentence }, POLL_MS, { ...memo, mergeSha, mergedAt });
}

/** Commits that came together are seen as one: the newest. */
async function isTakenOver(scene: RevertScene, mergeSha: string, later: readonly SequenceState[]): Promise<boolean> {
  const { input, host, repository } = scene;
  const newest = later[0]?.triggered;
  if (!newest || newest.sequence === input.triggered.sequence) return false;
  return host.contains(repository, inGit(newest).revision, mergeSha, input);
}

async function finish(
  scene: RevertScene,
  { finished, triggered }: SequenceState,
  what: string,
  data: JsonObject,
): Promise<TaskOutcome> {
  const { good } = scene;
  const said = (finished?.message ?? '').replace(/^ROLLBACK FAILED: /, '');
  if (finished?.reason === 'superseded')
    return notRolledBack(`${what} is merged, and a newer change took over before it was verified`, data);
  const worked = finished?.reason === 'completed' && finished.result !== 'fail';
  const outcome = worked
    ? `${short(good.revision)} is back as ${short(triggered?.revision ?? '')}, deployed and healthy`
    : `${what} is merged, but ${said}`;
  await report(scene, outcome, worked);
  return worked
    ? rolledBack(`rolled back to ${short(good.revision)} by ${what}, deployed and healthy`, data)
    : fail(outcome, data);
}

/** On the pull request too, where those look who merged it. It decides nothing, so a host that refuses it is let be. */
async function report({ input, host, repository }: RevertScene, outcome: string, worked: boolean): Promise<void> {
  const number = input.task.memo['pullRequest'];
  if (typeof number !== 'number') return;
  try {
    const { title, body } = await host.readPullRequest(repository, number, input);
    if (body.includes('## What became of it')) return;
    const change = { title, body: withOutcome(body, outcome, worked) };
    await input.effect('report', () => host.updatePullRequest(repository, number, change, input));
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason === 'cancelled') throw error;
  }
}
