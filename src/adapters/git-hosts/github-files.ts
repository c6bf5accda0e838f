import { createHash } from 'node:crypto';
import { AdapterError } from '../../base/adapter-error.ts';
import type { FileEdit, TreeFile } from '../../promotion/file-edit.ts';
import type { CallOptions, NewFiles } from './git-host.ts';
import { type Coordinates, type GitHubApi, shaOf } from './github-api.ts';

/** The port's limit for one listing. */
const MAX_LISTED = 20_000;
/** Of one request; GitHub gives up on trees that take it longer than 10 s. */
const MAX_ENTRIES = 1_000;
const MAX_TEXT_BYTES = 2 * 1024 * 1024;

/** A file as the tree is changed by it; `sha: null` takes it away. */
interface Entry {
  path: string;
  mode: TreeFile['mode'];
  type: 'blob' | 'commit';
  sha?: string | null;
  content?: string;
}

type Tree = ReadonlyMap<string, TreeFile>;

/** What a folder holds: its files, or the folders in it when all of it is too much for one answer. */
interface Listing {
  files: TreeFile[];
  folders: { path: string; sha: string }[];
  whole: boolean;
}

/** Files of commits by GitHub's tree API: nothing is cloned, and no content travels that is there already. */
export function createGitHubFiles(api: GitHubApi) {
  async function treeOf(at: Coordinates, sha: string, options?: CallOptions): Promise<string> {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.git.getCommit({ ...at, commit_sha: sha, ...bound }),
    );
    return shaOf(data.tree.sha);
  }

  async function list(at: Coordinates, sha: string, folder: string, options?: CallOptions): Promise<TreeFile[]> {
    const inside = folder === '' ? '' : `${folder}/`;
    const root = await readTree(at, await treeOf(at, sha, options), '', true, options);
    const files = root.whole
      ? root.files.filter(({ path }) => path.startsWith(inside))
      : await walk(at, root.folders, root.files, inside, options);
    if (files.length <= MAX_LISTED) return files;
    throw new AdapterError(
      'rejected',
      `${folder === '' ? 'the repository' : folder} has ${files.length} files; more than ${MAX_LISTED} are not listed`,
    );
  }

  /** Too much for one answer: only what lies on the way to the folder, then all below it. */
  async function walk(
    at: Coordinates,
    folders: Listing['folders'],
    files: readonly TreeFile[],
    inside: string,
    options?: CallOptions,
  ): Promise<TreeFile[]> {
    const found = files.filter(({ path }) => path.startsWith(inside));
    for (const { path, sha } of folders) {
      const here = `${path}/`;
      const below = here.startsWith(inside);
      if (!below && !inside.startsWith(here)) continue;
      const listing = await readTree(at, sha, here, below, options);
      if (below && listing.whole) found.push(...listing.files);
      else found.push(...(await walk(at, listing.folders, listing.files, inside, options)));
      if (found.length > MAX_LISTED) break;
    }
    return found;
  }

  async function readTree(
    at: Coordinates,
    sha: string,
    below: string,
    recursive: boolean,
    options?: CallOptions,
  ): Promise<Listing> {
    const { data } = await api(options, (octokit, bound) =>
      octokit.rest.git.getTree({ ...at, tree_sha: sha, ...(recursive ? { recursive: '1' } : {}), ...bound }),
    );
    if (recursive && data.truncated) return readTree(at, sha, below, false, options);
    const entries = data.tree.map((entry) => ({ ...entry, path: `${below}${entry.path}` }));
    const folders = entries.filter(({ type }) => type === 'tree').map(({ path, sha }) => ({ path, sha: shaOf(sha) }));
    const files = entries.filter(({ type }) => type !== 'tree').map(toTreeFile);
    return { files, folders, whole: recursive };
  }

  /** The files that these paths name at a commit. */
  async function lookUp(at: Coordinates, sha: string, paths: readonly string[], options?: CallOptions): Promise<Tree> {
    const root = await readTree(at, await treeOf(at, sha, options), '', true, options);
    const found = root.whole
      ? root.files
      : (await Promise.all(foldersOf(paths).map((path) => walk(at, root.folders, root.files, path, options)))).flat();
    return new Map(found.map((file) => [file.path, file]));
  }

  /** Makes a commit with edits on top of another one; answers the parent when nothing changes. */
  async function commit(
    at: Coordinates,
    wanted: NewFiles,
    createCommit: (tree: string) => Promise<string>,
    options?: CallOptions,
  ): Promise<string> {
    const entries = await entriesOf(at, wanted, options);
    if (entries.length === 0) return wanted.parent;
    let tree = await treeOf(at, wanted.parent, options);
    for (const part of inParts(entries)) {
      const base = tree;
      const { data } = await api(options, (octokit, bound) =>
        octokit.rest.git.createTree({ ...at, base_tree: base, tree: part as TreeBody, ...bound }),
      );
      tree = shaOf(data.sha);
    }
    return createCommit(tree);
  }

  async function entriesOf(at: Coordinates, wanted: NewFiles, options?: CallOptions): Promise<Entry[]> {
    const before = await lookUp(
      at,
      wanted.parent,
      wanted.edits.map(({ path }) => path),
      options,
    );
    requireRoom(before, wanted.edits);
    const copied = new Map<string, string[]>();
    for (const edit of wanted.edits) {
      if (edit.kind === 'copy') copied.set(edit.from.sha, [...(copied.get(edit.from.sha) ?? []), edit.from.path]);
    }
    const sources = new Map<string, Tree>();
    for (const [sha, paths] of copied) sources.set(sha, await lookUp(at, sha, paths, options));
    return wanted.edits.flatMap((edit) => toEntry(edit, before, wanted.parent, sources) ?? []);
  }

  return { list, commit };
}

/** What Octokit takes for a tree; it knows of modes that nobody writes. */
type TreeBody = { path: string; mode: '100644'; type: 'blob'; sha?: string | null; content?: string }[];

/** `undefined` when the file is as wanted already. */
function toEntry(edit: FileEdit, before: Tree, parent: string, sources: ReadonlyMap<string, Tree>): Entry | undefined {
  const now = before.get(edit.path);
  const { path } = edit;
  if (edit.kind === 'delete') {
    const { mode } = requireFile(before, parent, path);
    return { path, mode, type: typeOf(mode), sha: null };
  }
  if (edit.kind === 'write') {
    const mode = now?.mode === '100755' ? '100755' : '100644';
    const same = now?.mode === mode && now.blob === blobName(edit.content, parent);
    return same ? undefined : { path, mode, type: 'blob', content: edit.content };
  }
  const { mode, blob } = requireFile(sources.get(edit.from.sha) ?? new Map(), edit.from.sha, edit.from.path);
  const same = now?.mode === mode && now.blob === blob;
  return same ? undefined : { path, mode, type: typeOf(mode), sha: blob };
}

function requireFile(tree: Tree, sha: string, path: string): TreeFile {
  const file = tree.get(path);
  if (file !== undefined) return file;
  throw new AdapterError('conflict', `there is no file ${path} at ${sha.slice(0, 7)}`);
}

/** A file that takes the place of a folder, or a folder that of a file, takes along what nobody asked for. */
function requireRoom(before: Tree, edits: readonly FileEdit[]): void {
  const gone = new Set(edits.filter(({ kind }) => kind === 'delete').map(({ path }) => path));
  const kept = [...before.keys()].filter((path) => !gone.has(path));
  const written = edits.filter(({ kind }) => kind !== 'delete').map(({ path }) => path);
  const files = new Set([...kept, ...written]);
  const folders = new Set([...kept, ...written].flatMap(ancestors));
  const lost = written.find((path) => folders.has(path) || ancestors(path).some((above) => files.has(above)));
  if (lost === undefined) return;
  throw new AdapterError('conflict', `${lost} is in the way: a name cannot be both a file and a folder`);
}

function ancestors(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

/** The folders in which to look for these paths, each once. */
function foldersOf(paths: readonly string[]): string[] {
  return [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))];
}

/** Git's own name for a content: known without asking for it. */
function blobName(content: string, like: string): string {
  const bytes = Buffer.from(content, 'utf8');
  return createHash(like.length === 64 ? 'sha256' : 'sha1')
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest('hex');
}

function inParts(entries: readonly Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const more = Buffer.byteLength(entry.content ?? '');
    const last = parts.at(-1);
    if (last === undefined || last.length >= MAX_ENTRIES || bytes + more > MAX_TEXT_BYTES) {
      parts.push([entry]);
      bytes = more;
    } else {
      last.push(entry);
      bytes += more;
    }
  }
  return parts;
}

function toTreeFile({ path, sha, mode }: { path: string; sha?: string; mode?: string }): TreeFile {
  const known = mode === '100755' || mode === '120000' || mode === '160000' ? mode : '100644';
  return { path, blob: shaOf(sha), mode: known };
}

function typeOf(mode: TreeFile['mode']): 'blob' | 'commit' {
  return mode === '160000' ? 'commit' : 'blob';
}
