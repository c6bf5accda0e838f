import type { CallOptions, GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { mapBounded } from '../base/pool.ts';
import { liesIn } from '../definitions/repository-path.ts';
import type { Needs } from '../promotion/edits/plan-edits.ts';
import type { TreeReader } from '../promotion/edits/workspace.ts';
import type { TreeFile } from '../promotion/file-edit.ts';

/** Requests to a host at once: a promotion names a handful of files, seldom more. */
const AT_ONCE = 4;

/**
 * Reads what a promotion needs of one commit, and nothing else.
 *
 * @throws {AdapterError} `rejected`: the host lists no files, or a file or folder is too large
 */
export async function readTree(
  host: GitHost,
  repository: Repository,
  sha: string,
  { files, folders }: Needs,
  options: CallOptions,
): Promise<TreeReader> {
  const { listFiles } = host;
  if (listFiles === undefined)
    throw new AdapterError('rejected', `${host.name} cannot list files, which promotion.changes need`);
  const listed = await mapBounded(folders, AT_ONCE, (folder) => listFiles.call(host, repository, sha, folder, options));
  const trees = new Map(folders.map((folder, at) => [folder, listed[at] ?? []]));
  const known = (path: string) => [...trees].find(([folder]) => liesIn(path, folder))?.[1];
  // What the lists do not have needs no question.
  const wanted = files.filter((path) => known(path)?.some((file) => file.path === path) ?? true);
  const texts = await mapBounded(wanted, AT_ONCE, (path) => host.readFile(repository, sha, path, options));
  const text = new Map(wanted.map((path, at) => [path, texts[at]]));
  return {
    sha,
    file: (path) => text.get(path),
    folder: (folder) => inFolder(known(folder) ?? [], folder),
  };
}

function inFolder(files: readonly TreeFile[], folder: string): readonly TreeFile[] {
  return folder === '' ? files : files.filter(({ path }) => path.startsWith(`${folder}/`));
}
