import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { BareRepository } from '../../examples/sandbox/git.ts';
import { type Answer, type Call, type Handlers, notFound, ok, refused } from './github-answers.ts';
import { type Accounts, userBody } from './github-people.ts';
import type { QuickGit } from './quick-git.ts';

/** GitHub's answers about commits, trees, files and refs, by a real Git repository. */
export function createGitHandlers(
  origin: BareRepository,
  quick: QuickGit,
  accounts: Accounts,
  onBranchGone: (ref: string) => void,
) {
  /** From so many entries on GitHub says that a tree is not all there. */
  const limits = { treeEntries: 100_000 };
  const handlers: Handlers = {
    'get /repos/{owner}/{repo}/commits/{ref}': getCommit,
    'get /repos/{owner}/{repo}/contents/{path}': getContents,
    'get /repos/{owner}/{repo}/compare/{basehead}': compare,
    'get /repos/{owner}/{repo}/git/commits/{commit_sha}': ({ params }) => {
      const sha = origin.sha(params['commit_sha'] ?? '');
      return sha === undefined ? notFound() : ok(gitCommitBody(sha));
    },
    'post /repos/{owner}/{repo}/git/commits': createCommit,
    'get /repos/{owner}/{repo}/git/trees/{tree_sha}': getTree,
    'post /repos/{owner}/{repo}/git/trees': createTree,
    'get /repos/{owner}/{repo}/git/ref/{ref}': ({ params }) => {
      const sha = origin.sha(`refs/${params['ref']}`);
      return sha === undefined ? notFound() : ok(refBody(params['ref'] ?? '', sha));
    },
    'post /repos/{owner}/{repo}/git/refs': ({ body }) => {
      const [ref, sha] = [String(body['ref']), String(body['sha'])];
      if (origin.sha(sha) === undefined) return refused('Object does not exist');
      if (origin.sha(ref) !== undefined) return refused('Reference already exists');
      origin.git('update-ref', ref, sha, '');
      return { status: 201, body: refBody(ref.replace('refs/', ''), sha) };
    },
    'patch /repos/{owner}/{repo}/git/refs/{ref}': ({ params, body }) => {
      const [ref, sha] = [params['ref'] ?? '', String(body['sha'])];
      const now = origin.sha(`refs/${ref}`);
      if (now === undefined) return refused('Reference does not exist');
      if (origin.sha(sha) === undefined) return refused('Object does not exist');
      if (body['force'] !== true && !quick.isIn(sha, now)) return refused('Update is not a fast forward');
      origin.git('update-ref', `refs/${ref}`, sha);
      return ok(refBody(ref, sha));
    },
    'delete /repos/{owner}/{repo}/git/refs/{ref}': ({ params }) => {
      const ref = `refs/${params['ref']}`;
      if (origin.sha(ref) === undefined) return refused('Reference does not exist');
      onBranchGone(ref);
      origin.git('update-ref', '-d', ref);
      return { status: 204 };
    },
  };

  function gitCommitBody(sha: string) {
    return { sha, message: quick.commit(sha).message, tree: { sha: origin.git('rev-parse', `${sha}^{tree}`) } };
  }

  function createCommit({ body }: Call): Answer {
    const { message, tree, parents, author } = body as {
      message: string;
      tree: string;
      parents: string[];
      author: { name: string; email: string; date: string };
    };
    if (!origin.tries('cat-file', '-e', `${tree}^{tree}`)) return refused('Tree SHA does not exist');
    if (parents.some((parent) => origin.sha(parent) === undefined))
      return refused('Parent SHA does not exist or is not a commit object');
    const who = (kind: string) => [
      `GIT_${kind}_NAME=${author.name}`,
      `GIT_${kind}_EMAIL=${author.email}`,
      `GIT_${kind}_DATE=${author.date}`,
    ];
    const made = execFileSync(
      'env',
      [
        ...who('AUTHOR'),
        ...who('COMMITTER'),
        ...['git', '-C', origin.path, 'commit-tree', tree, '-m', message],
        ...parents.flatMap((parent) => ['-p', parent]),
      ],
      { encoding: 'utf8' },
    );
    return { status: 201, body: gitCommitBody(made.trim()) };
  }

  function getTree({ params, query }: Call): Answer {
    const tree = params['tree_sha'] ?? '';
    if (!origin.tries('cat-file', '-e', `${tree}^{tree}`)) return notFound();
    const recursive = query.has('recursive');
    const lines = origin
      .bytes('ls-tree', '-z', ...(recursive ? ['-r', '-t'] : []), tree)
      .toString()
      .split('\0');
    const entries = lines.filter(Boolean).map((line) => {
      const [, mode = '', type = '', sha = '', path = ''] = /^(\d+) (\w+) (\w+)\t(.*)$/s.exec(line) ?? [];
      return { path, mode, type, sha };
    });
    const truncated = recursive && entries.length > limits.treeEntries;
    return ok({ sha: tree, tree: truncated ? entries.slice(0, limits.treeEntries) : entries, truncated });
  }

  function createTree({ body }: Call): Answer {
    const { base_tree: base, tree } = body as { base_tree: string; tree: TreeEntry[] };
    if (!origin.tries('cat-file', '-e', `${base}^{tree}`)) return refused('base_tree is not a valid tree oid');
    const lines: string[] = [];
    for (const { path, mode, sha, content } of tree) {
      if (/(^|\/)\.git(\/|$)/i.test(path)) return refused(`tree.path contains a malformed path component`);
      if (sha === null && !origin.tries('cat-file', '-e', `${base}:${path}`)) return refused('GitRPC::BadObjectState');
      if (typeof sha === 'string' && mode !== '160000' && !origin.tries('cat-file', '-e', sha)) {
        return refused(`tree.sha ${sha} is not a valid blob`);
      }
      const name = content === undefined ? sha : run(['hash-object', '-w', '--stdin'], content);
      lines.push(sha === null ? `0 ${'0'.repeat(40)}\t${path}\0` : `${mode} ${name}\t${path}\0`);
    }
    const index = { GIT_INDEX_FILE: `${origin.path}/fake-index-${Math.random().toString(36).slice(2)}` };
    run(['read-tree', base], '', index);
    run(['update-index', '-z', '--index-info'], lines.join(''), index);
    const sha = run(['write-tree', '--missing-ok'], '', index).trim();
    rmSync(index.GIT_INDEX_FILE, { force: true });
    return { status: 201, body: { sha, truncated: false } };
  }

  function run(args: readonly string[], input: string, environment: Record<string, string> = {}): string {
    const env = { ...process.env, ...environment };
    return execFileSync('git', [`--git-dir=${origin.path}`, ...args], { input, env, encoding: 'utf8' }).trim();
  }

  function getCommit({ params }: Call): Answer {
    const ref = params['ref'] ?? '';
    const sha = find(ref);
    if (sha === undefined) return refused(`No commit found for SHA: ${ref}`);
    return { status: 200, body: { sha, commit: commitBody(sha), files: [] } };
  }

  function getContents({ params, query }: Call): Answer {
    const sha = find(query.get('ref') ?? 'HEAD');
    const path = params['path'] ?? '';
    if (sha === undefined) return notFound(`No commit found for the ref ${query.get('ref')}`);
    if (!origin.tries('cat-file', '-e', `${sha}:${path}`)) return notFound();
    if (origin.git('cat-file', '-t', `${sha}:${path}`) === 'tree') {
      return { status: 200, body: [{ type: 'file', name: 'file', path: `${path}/file`, size: 1 }] };
    }
    const content = origin.bytes('cat-file', 'blob', `${sha}:${path}`);
    const large = content.length > 1024 * 1024;
    return {
      status: 200,
      body: {
        type: 'file',
        encoding: large ? 'none' : 'base64',
        size: content.length,
        name: path.split('/').at(-1),
        path,
        content: large ? '' : (content.toString('base64').match(/.{1,60}/g) ?? []).map((row) => `${row}\n`).join(''),
      },
    };
  }

  function compare({ params, query }: Call): Answer {
    const [from = '', to = ''] = (params['basehead'] ?? '').split('...');
    const [base, head] = [find(from), find(to)];
    if (base === undefined || head === undefined) return notFound();
    if (!origin.tries('merge-base', base, head)) return notFound(`No common ancestor between ${from} and ${to}.`);
    const ancestor = origin.git('merge-base', base, head);
    const shas = origin.git('rev-list', '--reverse', `${base}..${head}`).split('\n').filter(Boolean);
    const files = origin.git('diff-tree', '-r', '-z', '--numstat', ancestor, head).split('\0').filter(Boolean);
    const status =
      base === head ? 'identical' : ancestor === base ? 'ahead' : ancestor === head ? 'behind' : 'diverged';
    const shown = query.has('per_page') ? shas.slice(0, Number(query.get('per_page'))) : shas.slice(-250);
    return {
      status: 200,
      body: {
        status,
        total_commits: shas.length,
        commits: shown.map((sha) => ({ sha, commit: commitBody(sha), author: accountOf(sha) })),
        files: files.slice(0, 300).map((row) => {
          const [additions, deletions, filename] = row.split('\t');
          return { filename, additions: Number(additions) || 0, deletions: Number(deletions) || 0 };
        }),
      },
    };
  }

  function find(ref: string): string | undefined {
    return origin.sha(`refs/heads/${ref}`) ?? origin.sha(`refs/tags/${ref}`) ?? origin.sha(ref);
  }

  function commitBody(sha: string) {
    const { name, date, message } = quick.commit(sha);
    return { message, author: { name, email: 'x@example.org', date } };
  }

  /** GitHub knows accounts by mail addresses; here by the name. */
  function accountOf(sha: string) {
    const found = accounts.find(quick.commit(sha).name);
    return found === undefined ? null : userBody(found);
  }

  return { handlers, limits };
}

interface TreeEntry {
  path: string;
  mode: string;
  sha?: string | null;
  content?: string;
}

const refBody = (ref: string, sha: string) => ({ ref: `refs/${ref}`, object: { type: 'commit', sha } });
