import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { clip } from '../base/clip.ts';
import { sha256 } from '../base/ids.ts';
import type { PromotionChange } from '../definitions/delivery-changes.ts';
import { type Problem, sayProblem } from '../definitions/problem.ts';
import { folderOf } from '../definitions/repository-path.ts';
import { fillChanges } from '../promotion/edits/changes.ts';
import { EditRefusal } from '../promotion/edits/open-file.ts';
import type { EditSummary } from '../promotion/edits/workspace.ts';
import { plain } from '../promotion/markdown.ts';
import { type PromotionIdentity, trailersOf } from '../promotion/trailers.ts';
import { type PlannedContent, planContent } from './planned-content.ts';
import type { TaskInput, TaskTools } from './task.ts';

/** More lines say no more to people. */
const SHOWN_EDITS = 50;
const SHOWN_IN_MESSAGE = 20;
const SHOWN_PROBLEMS = 3;

/** What a pull request brings as edits of files, and what they were planned on. Small: a task remembers it. */
export interface PromotionContent {
  /** What the pull request points at. */
  headSha: string;
  /** The head of the target's branch that the edits were planned on. */
  base: string;
  /** What is changed in which file, cut at 50. */
  edits: EditSummary[];
  totalEdits: number;
  /** Of the edits and of what they change: while both stay, so does the pull request. */
  fingerprint: string;
}

export interface ContentWish {
  host: GitHost;
  repository: Repository;
  changes: readonly PromotionChange[];
  identity: PromotionIdentity;
  /** The target's branch. */
  branch: string;
  /** Where our commit goes. */
  headBranch: string;
  /** What the pull request pointed at before. */
  before?: Pick<PromotionContent, 'base' | 'headSha' | 'fingerprint'> | undefined;
}

/**
 * Makes the commit that a promotion by `promotion.changes` proposes: the planned edits on top of the target branch's
 * head, with values of the verified commit alone. The same wish makes the same commit. Once the branch has moved it is
 * planned again; where that leads to the same edits of the same files, what was reviewed stays (`same`).
 *
 * @throws {AdapterError} `rejected`: the changes do not fit the files; others as the host says
 */
export async function contentOf(
  input: TaskInput,
  tools: Pick<TaskTools, 'registry'>,
  wish: ContentWish,
): Promise<PromotionContent | 'same' | 'nothing'> {
  const { host, repository, identity, branch, headBranch, before } = wish;
  const base = await host.resolve(repository, branch, input);
  if (base === undefined) throw new AdapterError('rejected', `there is no branch ${branch} to promote to`);
  if (before?.base === base) return 'same';
  const changes = filled(wish.changes, identity);
  const { revision: source } = identity;
  const registry = (image: string) => tools.registry?.(image);
  const question = { host, repository, changes, source, target: base, registry };
  const planned = await planContent(question, input);
  requireSound(planned.problems);
  if (planned.edits.length === 0) return 'nothing';
  const fingerprint = fingerprintOf(planned);
  if (before?.fingerprint === fingerprint) return 'same';
  const { commitFiles } = host;
  if (commitFiles === undefined)
    throw new AdapterError('rejected', `${host.name} cannot commit files, which promotion.changes need`);
  const { edits, summary } = planned;
  const message = messageOf(identity, summary);
  const wanted = { branch: headBranch, parent: base, edits, message, at: input.task.triggeredAt };
  const headSha = await input.effect('head-commit', () => commitFiles.call(host, repository, wanted, input));
  if (headSha === base) return 'nothing';
  return { headSha, base, edits: summary.slice(0, SHOWN_EDITS), totalEdits: summary.length, fingerprint };
}

/** @throws {AdapterError} `rejected`: with names of ours in it, a path is none any more */
export function filled(changes: readonly PromotionChange[], identity: PromotionIdentity): PromotionChange[] {
  const { project, service, fromStage: stage, toStage: nextStage, revision } = identity;
  try {
    return fillChanges(changes, { project, service, stage, nextStage, revision });
  } catch (error) {
    if (!(error instanceof EditRefusal)) throw error;
    throw new AdapterError('rejected', error.message);
  }
}

function requireSound(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const said = problems.slice(0, SHOWN_PROBLEMS).map(sayProblem);
  const more = problems.length > said.length ? [`and ${problems.length - said.length} more`] : [];
  throw new AdapterError(
    'rejected',
    `what delivery.yaml wants changed does not fit:\n${[...said, ...more].join('\n')}`,
  );
}

function fingerprintOf({ edits, target }: PlannedContent): string {
  const blobOf = (path: string) => target.folder(folderOf(path)).find((file) => file.path === path)?.blob ?? null;
  return sha256(JSON.stringify(edits.map((edit) => [edit, blobOf(edit.path)])));
}

function messageOf(identity: PromotionIdentity, summary: readonly EditSummary[]): string {
  const { service, revision, fromStage, toStage } = identity;
  const shown = summary
    .slice(0, SHOWN_IN_MESSAGE)
    .map(({ path, what }) => `- ${plain(clip(`${path}: ${what}`, 160), 160)}`);
  const more = summary.length > shown.length ? [`- and ${summary.length - shown.length} more`] : [];
  return [
    `Promote ${plain(service, 80)} ${revision.slice(0, 7)} to ${plain(toStage, 80)}`,
    '',
    `As verified in ${plain(fromStage, 80)}:`,
    '',
    ...shown,
    ...more,
    '',
    ...trailersOf(identity),
    '',
  ].join('\n');
}
