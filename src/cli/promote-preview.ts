import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { Delivery, Stage } from '../definitions/delivery.ts';
import type { PromotionChange } from '../definitions/delivery-changes.ts';
import { parseDelivery } from '../definitions/delivery-yaml.ts';
import { parseKeptnPromotion } from '../definitions/keptn-promotion.ts';
import { type Parsed, type Problem, sayProblem } from '../definitions/problem.ts';
import type { EditSummary } from '../promotion/edits/workspace.ts';
import type { FileEdit } from '../promotion/file-edit.ts';
import { subjectOf } from '../promotion/pull-request.ts';
import type { PromotionIdentity } from '../promotion/trailers.ts';
import { createReader, findDelivery, readBeside } from '../tasks/delivery-files.ts';
import { type PlannedContent, planContent } from '../tasks/planned-content.ts';
import { filled } from '../tasks/promotion-content.ts';
import { UsageError } from './command.ts';
import { type LocalRepository, withLocalRepository } from './local-repository.ts';
import { type Asked, askedFor } from './promote-asked.ts';

export interface PreviewOptions {
  repository: string;
  revision?: string;
  delivery?: string;
  service?: string;
  project?: string;
  fromStage?: string;
  to?: string;
}

/** A file as the pull request would change it; texts are absent where they cannot be shown. */
export interface PreviewFile {
  path: string;
  change: 'add' | 'modify' | 'delete';
  before?: string;
  after?: string;
}

/** What a promotion would be, were it opened now. */
export interface Preview {
  service: string;
  fromStage: string;
  toStage: string;
  revision: string;
  title: string;
  branch: string;
  /** Its head now. */
  base: string;
  /** Whether the verified commit is merged, or a commit of edits. */
  mode: 'merge' | 'edits';
  /** None: the stage has everything already. */
  files: PreviewFile[];
  totalFiles: number;
  commits: { sha: string; subject: string }[];
  totalCommits: number;
  edits: EditSummary[];
  problems: Problem[];
  /** Tags whose digests would be asked for; until then zeros stand for them. */
  digests: string[];
  asked: Asked[];
}

/** More differences are read by nobody on a terminal. */
const MAX_SHOWN = 100;
const UNKNOWN_DIGEST = `sha256:${'0'.repeat(64)}`;

/**
 * Plans a promotion on a repository of this machine.
 *
 * @throws {UsageError} delivery.yaml is invalid, or the options do not fit it
 * @throws {AdapterError} something cannot be read
 */
export function previewPromotion(options: PreviewOptions, signal: AbortSignal): Promise<Preview> {
  return withLocalRepository(options.repository, async (here) => {
    const revision = await here.resolve(options.revision ?? 'HEAD');
    const { delivery, deliveryFile } = await readDelivery(here, revision, options.delivery, signal);
    const { from, to } = stagesOf(delivery, options);
    const branch = to.branch ?? '';
    const base = await here.resolve(`refs/remotes/origin/${branch}`, `refs/heads/${branch}`, branch);
    const identity: PromotionIdentity = {
      project: options.project ?? delivery.name,
      service: serviceOf(delivery, options.service),
      fromStage: from.name,
      toStage: to.name,
      context: '',
      revision,
    };
    const changes = await changesOf(here, revision, { from, deliveryFile }, signal);
    const common = {
      ...{ service: identity.service, fromStage: from.name, toStage: to.name, revision, branch, base },
      title: subjectOf(identity),
      asked: askedFor(from, to),
    };
    const scene = { ...here, revision, base, signal };
    const what = changes === undefined ? await merging(scene) : await editing(scene, filled(changes, identity));
    return { ...common, ...what };
  });
}

async function readDelivery(
  { host, repository }: LocalRepository,
  revision: string,
  file: string | undefined,
  signal: AbortSignal,
) {
  const reader = createReader(host, repository, revision, signal);
  const where = { source: { path: '' }, ...(file === undefined ? {} : { deliveryFile: file }) };
  const found = await findDelivery(reader, where);
  if (!found)
    throw new UsageError(`${file ?? 'delivery.yaml'} is not there at ${revision.slice(0, 7)}: name it with --delivery`);
  return { delivery: sound(parseDelivery(found.text, found.path)), deliveryFile: found.path };
}

function sound<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new UsageError(parsed.problems.map(sayProblem).join('\n'));
}

function stagesOf({ stages }: Delivery, { fromStage, to }: PreviewOptions): { from: Stage; to: Stage } {
  const named = (name: string, option: string) => {
    const stage = stages.find((one) => one.name === name);
    if (stage) return stage;
    throw new UsageError(`${option}: there is no stage ${name}, stages: ${stages.map((one) => one.name).join(', ')}`);
  };
  if (to !== undefined) named(to, '--to');
  const candidates = stages.filter(({ promotion }) => promotion && (to === undefined || promotion.to.includes(to)));
  const only = candidates.length === 1 ? candidates[0] : undefined;
  const from = fromStage === undefined ? only : named(fromStage, '--from-stage');
  if (!from)
    throw new UsageError(`--from-stage: name one of ${candidates.map(({ name }) => name).join(', ') || 'none'}`);
  const targets = from.promotion?.to ?? [];
  const target = to ?? (targets.length === 1 ? targets[0] : undefined);
  if (targets.length === 0) throw new UsageError(`${from.name} promotes nothing: it has no "promotion"`);
  if (target === undefined || !targets.includes(target))
    throw new UsageError(`--to: ${from.name} promotes to ${targets.join(', ')}`);
  return { from, to: named(target, '--to') };
}

function serviceOf({ name, services }: Delivery, wanted: string | undefined): string {
  if (wanted !== undefined && services.length > 0 && !services.includes(wanted))
    throw new UsageError(`--service: delivery.yaml is about ${services.join(', ')}`);
  if (wanted !== undefined) return wanted;
  if (services.length > 1) throw new UsageError(`--service: name one of ${services.join(', ')}`);
  return services[0] ?? name;
}

async function changesOf(
  { host, repository }: LocalRepository,
  revision: string,
  { from, deliveryFile }: { from: Stage; deliveryFile: string },
  signal: AbortSignal,
): Promise<readonly PromotionChange[] | undefined> {
  const { changes } = from.promotion ?? {};
  if (typeof changes !== 'string') return changes;
  return sound(
    await readBeside(createReader(host, repository, revision, signal), deliveryFile, changes, parseKeptnPromotion),
  );
}

interface PreviewScene {
  host: GitHost;
  repository: Repository;
  revision: string;
  base: string;
  signal: AbortSignal;
}

type What = Pick<
  Preview,
  'mode' | 'files' | 'totalFiles' | 'commits' | 'totalCommits' | 'edits' | 'problems' | 'digests'
>;

/** The files of the commit, as they would be merged. */
async function merging({ host, repository, revision, base, signal }: PreviewScene): Promise<What> {
  const { commits, totalCommits, files, totalFiles } = await host.compare(repository, base, revision, { signal });
  const texts = (sha: string, path: string) => textAt({ host, repository, signal }, sha, path);
  const shown: PreviewFile[] = [];
  for (const { path } of files.slice(0, MAX_SHOWN))
    shown.push(await shownFile(path, await texts(base, path), await texts(revision, path)));
  return { mode: 'merge', files: shown, totalFiles, commits, totalCommits, edits: [], problems: [], digests: [] };
}

async function editing(scene: PreviewScene, changes: readonly PromotionChange[]): Promise<What> {
  const { host, repository, revision: source, base: target, signal } = scene;
  const digests: string[] = [];
  const registry = () => ({
    kind: 'oci',
    name: 'none',
    serves: () => true,
    digest: async (image: string, tag: string) => {
      digests.push(`${image}:${tag}`);
      return UNKNOWN_DIGEST;
    },
  });
  const planned = await planContent({ host, repository, changes, source, target, registry }, { signal });
  const { edits, summary, problems } = planned;
  const files: PreviewFile[] = [];
  for (const edit of edits.slice(0, MAX_SHOWN)) files.push(await editedFile(scene, planned, edit));
  return {
    mode: 'edits',
    files,
    totalFiles: edits.length,
    commits: [],
    totalCommits: 0,
    edits: summary,
    problems,
    digests,
  };
}

async function editedFile(scene: PreviewScene, { target }: PlannedContent, edit: FileEdit): Promise<PreviewFile> {
  const before = target.file(edit.path) ?? (await textAt(scene, scene.base, edit.path));
  if (edit.kind === 'delete') return shownFile(edit.path, before, undefined);
  const after = edit.kind === 'write' ? edit.content : await textAt(scene, edit.from.sha, edit.from.path);
  return shownFile(edit.path, before, after);
}

/** What is no text, or too large for one. */
const UNREADABLE = Symbol('unreadable');
type Text = string | undefined | typeof UNREADABLE;

async function textAt(
  { host, repository, signal }: Pick<PreviewScene, 'host' | 'repository' | 'signal'>,
  sha: string,
  path: string,
): Promise<Text> {
  try {
    const text = await host.readFile(repository, sha, path, { signal });
    return text?.includes('\0') || text?.includes('\uFFFD') ? UNREADABLE : text;
  } catch (error) {
    if (error instanceof AdapterError && error.reason === 'rejected') return UNREADABLE;
    throw error;
  }
}

function shownFile(path: string, before: Text, after: Text): PreviewFile {
  const change = before === undefined ? 'add' : after === undefined ? 'delete' : 'modify';
  if (before === UNREADABLE || after === UNREADABLE) return { path, change };
  return { path, change, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}
