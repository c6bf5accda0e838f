import type { Comparison } from '../adapters/git-hosts/git-host.ts';
import { short } from '../engine/revisions.ts';
import { planRevert, type RevertPlan } from '../promotion/revert.ts';
import { notRolledBack } from './rollback-outcome.ts';
import { branchOf, type RevertScene, revertIdentity } from './rollback-scene.ts';
import { verifyMerged } from './rollback-verify.ts';
import { errored, type TaskOutcome, waiting } from './task.ts';

/** Hosts list so many changed files and no more. */
const LISTED_FILES = 300;

/** Proposes the revert: one commit with the good files on top of the failed commit, and a pull request for it. */
export async function openRevert(scene: RevertScene): Promise<TaskOutcome> {
  const { input, host, repository, bad, back } = scene;
  const branch = branchOf(scene);
  const tip = await host.resolve(repository, branch, input);
  if (tip === undefined) return errored(`there is no branch "${branch}" that a revert could go to`);
  if (!(await host.contains(repository, tip, bad, input)))
    return notRolledBack(`${branch} does not have ${short(bad)} any more`);
  const straight = await host.contains(repository, bad, back, input);
  const taken = await host.compare(repository, back, bad, input);
  if (straight && taken.totalFiles === 0)
    return notRolledBack(`${short(back)} and ${short(bad)} have the same files, so there is nothing to take back`);
  const byHand = whyByHand(scene, { moved: tip !== bad, straight, taken });
  const revert = { ...revertIdentity(scene), ...taken, ...(byHand === undefined ? {} : { byHand }) };
  return propose(scene, planRevert(revert), byHand);
}

async function propose(scene: RevertScene, plan: RevertPlan, byHand: string | undefined): Promise<TaskOutcome> {
  const { input, tools, host, repository, bad, back } = scene;
  const { headBranch, message, title, body } = plan;
  const branch = branchOf(scene);
  await makeRoom(scene, plan);
  const wanted = { branch: headBranch, parents: [bad], treeOf: back, message, at: input.task.triggeredAt };
  const head = await input.effect('commit', () => host.createCommit(repository, wanted, input));
  const memo = { ...input.task.memo, head, reviews: host.capabilities.reviews, ...(byHand ? { byHand } : {}) };
  // Somebody may have merged it before a crash let us write down that it is open.
  if (await host.contains(repository, branch, head, input)) {
    const mergeSha = (await host.resolve(repository, branch, input)) ?? '';
    return verifyMerged({ ...scene, input: { ...input, task: { ...input.task, memo } } }, mergeSha);
  }
  const pullRequest = { headBranch, headSha: head, baseBranch: branch, title, body };
  const { number, url } = await input.effect('pull-request', () =>
    host.openPullRequest(repository, pullRequest, input),
  );
  const sentence = `revert pull request ${number} is open`;
  const at = url ?? tools.linkTo(input.triggered.context) ?? '';
  return waiting({ kind: 'review', sentence }, 0, { ...memo, pullRequest: number, url: at });
}

/** One open rollback per service and stage: that of an older change undoes less than this one. */
async function makeRoom(scene: RevertScene, { headPrefix, headBranch }: RevertPlan): Promise<void> {
  const { input, host, repository, bad } = scene;
  const baseBranch = branchOf(scene);
  const found = await host.findOpenPullRequests(repository, { headPrefix, baseBranch }, input);
  for (const old of found.filter((one) => one.headBranch !== headBranch)) {
    const comment = `Superseded: ${short(bad)} failed after this one and is rolled back together with it.`;
    await input.effect('close', () => host.closePullRequest(repository, old.number, comment, input));
  }
}

/** Where it cannot be told by rules that this revert is right and undoes nothing else, a person decides. */
function whyByHand(
  scene: RevertScene,
  { moved, straight, taken }: { moved: boolean; straight: boolean; taken: Comparison },
): string | undefined {
  const { bad, back } = scene;
  if (moved) return `${branchOf(scene)} has moved on since ${short(bad)}: what came then may mend it.`;
  if (!straight) return `${short(bad)} was not built on ${short(back)}: look at what the two differ in.`;
  if (taken.totalFiles > taken.files.length || taken.files.length >= LISTED_FILES)
    return `It takes back more files than a host lists (${LISTED_FILES}).`;
  const paths = (scene.input.task.memo['paths'] ?? ['']) as string[];
  const foreign = taken.files.filter((file) => !paths.some((path) => isBelow(file.path, path)));
  const [first] = foreign;
  if (first === undefined) return undefined;
  const more = foreign.length > 1 ? ` and ${foreign.length - 1} more` : '';
  return `It also takes back what others may need, outside of ${paths.join(', ')}: ${first.path}${more}.`;
}

function isBelow(file: string, path: string): boolean {
  const folder = path.replace(/^\.?\/+|\/+$/g, '');
  return folder === '' || folder === '.' || file === folder || file.startsWith(`${folder}/`);
}
