import { execFileSync } from 'node:child_process';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BareRepository } from '../../examples/sandbox/git.ts';
import { loadGitHubContract, type Operation } from './github-openapi.ts';

/** An answer to give instead of the real one. */
export interface Fault {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Answer late, or never (`Infinity`). */
  delayMs?: number;
  /** Do what was asked first, then answer this: the answer got lost. */
  afterEffect?: boolean;
}

export interface FakeGitHub {
  /** Site URL, as in a clone URL: `http://127.0.0.1:1234`. */
  url: string;
  /** Every request, `PUT /repos/acme/deploy/pulls/1/merge`. */
  requests: { line: string; at: number; authorization: string | undefined }[];
  /** Where a request or an answer was not as GitHub documents it; must stay empty. */
  violations: string[];
  /** Asked before each request; `undefined`: answer as usual. */
  fault: ((line: string) => Fault | undefined) | undefined;
  /** Comments by pull request. */
  comments(number: number): string[];
  /** A pull request from somebody's fork whose branch is named like one of ours. */
  openFromFork(branch: string, sha: string, base: string): number;
  close(): Promise<void>;
}

interface Pull {
  number: number;
  state: 'open' | 'closed';
  title: string;
  body: string | null;
  head: string;
  /** Kept from the moment it ended; while it is open the branch says it. */
  headSha: string;
  base: string;
  fork: boolean;
  createdAt: string;
  mergedAt: string | null;
  mergeSha: string | null;
  closedBy: string | null;
  comments: string[];
}

interface Call {
  operation: Operation;
  params: Record<string, string>;
  query: URLSearchParams;
  body: Record<string, unknown>;
}

interface Answer {
  status: number;
  body?: unknown;
}

/**
 * GitHub's REST API for one repository, `acme/<name>`, with a real Git repository behind it and every
 * request and answer held against GitHub's own description of it.
 */
export async function startFakeGitHub(origin: BareRepository, token: string): Promise<FakeGitHub> {
  const contract = loadGitHubContract();
  const state = createState(origin);
  const fake: Omit<FakeGitHub, 'url' | 'close'> = {
    requests: [],
    violations: [],
    fault: undefined,
    comments: (number) => state.pulls.find((pull) => pull.number === number)?.comments ?? [],
    openFromFork: (branch, sha, base) => state.add(branch, sha, base, 'From a fork', null, true).number,
  };

  function judge(request: http.IncomingMessage, text: string): Answer {
    if (request.headers.authorization !== `Bearer ${token}`)
      return { status: 401, body: { message: 'Bad credentials' } };
    const url = new URL(request.url ?? '/', 'http://localhost');
    const path = url.pathname.replace(/^\/api\/v3/, '');
    const matched = contract.match(request.method ?? '', path);
    if (matched === undefined) return violation(`${request.method} ${path} is not an operation that we know`);
    const body = text === '' ? undefined : (JSON.parse(text) as unknown);
    const problems = matched.operation.checkRequest(matched.params, url.searchParams, body);
    if (problems.length > 0) return violation(`${matched.operation.id}: ${problems.join('; ')}`);
    const { owner = 'acme', repo = 'deploy' } = matched.params;
    if (owner !== 'acme' || repo !== 'deploy') return notFound();
    const call = { ...matched, query: url.searchParams, body: (body ?? {}) as Record<string, unknown> };
    const answer = state.answer(call);
    const wrong = matched.operation.checkAnswer(answer.status, answer.body);
    return wrong.length > 0 ? violation(`${matched.operation.id} answer: ${wrong.join('; ')}`) : answer;
  }

  function violation(what: string): Answer {
    fake.violations.push(what);
    return { status: 500, body: { message: what } };
  }

  const server = http.createServer((request, response) => {
    serve(request, response).catch((error: unknown) => send(response, violation(String(error))));
  });
  async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const line = `${request.method} ${(request.url ?? '').replace(/^\/api\/v3/, '')}`;
    fake.requests.push({ line, at: performance.now(), authorization: request.headers.authorization });
    const fault = fake.fault?.(line);
    const text = Buffer.concat(chunks).toString('utf8');
    if (fault === undefined || fault.afterEffect) {
      const answer = judge(request, text);
      if (fault === undefined) return send(response, answer);
    }
    if (fault.delayMs === Number.POSITIVE_INFINITY) return;
    if (fault.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    send(response, fault, fault.headers);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(fake, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function send(response: http.ServerResponse, answer: Answer, headers: Record<string, string> = {}): void {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  response.end(answer.body === undefined ? undefined : text);
}

const notFound = (message = 'Not Found'): Answer => ({ status: 404, body: { message } });
const refused = (message: string, ...errors: string[]): Answer => ({
  status: 422,
  body: {
    message,
    ...(errors.length === 0
      ? {}
      : { errors: errors.map((words) => ({ resource: 'PullRequest', code: 'custom', message: words })) }),
  },
});

function createState(origin: BareRepository) {
  const pulls: Pull[] = [];
  const handlers: Record<string, (call: Call) => Answer> = {
    'get /rate_limit': () => {
      const rate = { limit: 5000, used: 1, remaining: 4999, reset: 1_800_000_000 };
      return { status: 200, body: { resources: { core: rate, search: rate }, rate } };
    },
    'get /repos/{owner}/{repo}': () => ({ status: 200, body: { name: 'deploy', full_name: 'acme/deploy' } }),
    'get /repos/{owner}/{repo}/commits/{ref}': getCommit,
    'get /repos/{owner}/{repo}/contents/{path}': getContents,
    'get /repos/{owner}/{repo}/compare/{basehead}': compare,
    'get /repos/{owner}/{repo}/git/commits/{commit_sha}': ({ params }) => {
      const sha = origin.sha(params['commit_sha'] ?? '');
      return sha === undefined ? notFound() : { status: 200, body: gitCommitBody(sha) };
    },
    'post /repos/{owner}/{repo}/git/commits': createCommit,
    'get /repos/{owner}/{repo}/git/ref/{ref}': ({ params }) => {
      const sha = origin.sha(`refs/${params['ref']}`);
      return sha === undefined ? notFound() : { status: 200, body: refBody(params['ref'] ?? '', sha) };
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
      if (body['force'] !== true && !isIn(sha, now)) return refused('Update is not a fast forward');
      origin.git('update-ref', `refs/${ref}`, sha);
      return { status: 200, body: refBody(ref, sha) };
    },
    'delete /repos/{owner}/{repo}/git/refs/{ref}': ({ params }) => {
      const ref = `refs/${params['ref']}`;
      if (origin.sha(ref) === undefined) return refused('Reference does not exist');
      for (const pull of pulls) if (`refs/heads/${pull.head}` === ref && pull.state === 'open') end(pull, 'robot');
      origin.git('update-ref', '-d', ref);
      return { status: 204 };
    },
    'get /repos/{owner}/{repo}/pulls': listPulls,
    'post /repos/{owner}/{repo}/pulls': createPull,
    'get /repos/{owner}/{repo}/pulls/{pull_number}': withPull((pull) => ({ status: 200, body: fullBody(pull) })),
    'patch /repos/{owner}/{repo}/pulls/{pull_number}': withPull((pull, { body }) => {
      if (typeof body['title'] === 'string') pull.title = body['title'];
      if (typeof body['body'] === 'string') pull.body = body['body'];
      if (body['state'] === 'closed' && pull.state === 'open') end(pull, 'robot');
      return { status: 200, body: fullBody(pull) };
    }),
    'put /repos/{owner}/{repo}/pulls/{pull_number}/merge': withPull(mergePull),
    'get /repos/{owner}/{repo}/issues/{issue_number}': withPull((pull) => ({
      status: 200,
      body: { number: pull.number, state: pull.state, closed_by: pull.closedBy ? user(pull.closedBy) : null },
    })),
    'get /repos/{owner}/{repo}/issues/{issue_number}/comments': withPull((pull) => ({
      status: 200,
      body: pull.comments.map((body, id) => ({ id, body })),
    })),
    'post /repos/{owner}/{repo}/issues/{issue_number}/comments': withPull((pull, { body }) => {
      pull.comments.push(String(body['body']));
      return { status: 201, body: { id: pull.comments.length, body: body['body'] } };
    }),
  };

  function gitCommitBody(sha: string) {
    return { sha, message: messageOf(sha), tree: { sha: origin.git('rev-parse', `${sha}^{tree}`) } };
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
        commits: shown.map((sha) => ({ sha, commit: commitBody(sha) })),
        files: files.slice(0, 300).map((row) => {
          const [additions, deletions, filename] = row.split('\t');
          return { filename, additions: Number(additions) || 0, deletions: Number(deletions) || 0 };
        }),
      },
    };
  }

  function listPulls({ query }: Call): Answer {
    const size = Number(query.get('per_page') ?? 30);
    const from = (Number(query.get('page') ?? 1) - 1) * size;
    const found = pulls
      .filter((pull) => query.get('state') === 'all' || pull.state === (query.get('state') ?? 'open'))
      .filter((pull) => !query.has('base') || pull.base === query.get('base'))
      .filter((pull) => !query.has('head') || `${pull.fork ? 'mallory' : 'acme'}:${pull.head}` === query.get('head'));
    return {
      status: 200,
      body: found
        .toReversed()
        .slice(from, from + size)
        .map(shortBody),
    };
  }

  function createPull({ body }: Call): Answer {
    const [head, base] = [String(body['head']), String(body['base'])];
    const [headSha, baseSha] = [origin.sha(`refs/heads/${head}`), origin.sha(`refs/heads/${base}`)];
    if (headSha === undefined || baseSha === undefined) return refused('Validation Failed', 'head or base is invalid');
    const same = pulls.some((pull) => pull.state === 'open' && !pull.fork && pull.head === head && pull.base === base);
    if (same) return refused('Validation Failed', `A pull request already exists for acme:${head}.`);
    if (isIn(baseSha, headSha)) return refused('Validation Failed', `No commits between ${base} and ${head}`);
    const pull = add(head, headSha, base, String(body['title']), String(body['body'] ?? ''), false);
    return { status: 201, body: fullBody(pull) };
  }

  function mergePull(pull: Pull, { body }: Call): Answer {
    const head = headShaOf(pull);
    if (pull.state !== 'open') return { status: 405, body: { message: 'Pull Request is not mergeable' } };
    if (body['sha'] !== undefined && body['sha'] !== head) {
      return { status: 409, body: { message: 'Head branch was modified. Review and try the merge again.' } };
    }
    const base = origin.sha(`refs/heads/${pull.base}`) ?? '';
    if (!origin.tries('merge-tree', '--write-tree', base, head)) {
      return { status: 405, body: { message: 'Pull Request is not mergeable' } };
    }
    const tree = origin.git('merge-tree', '--write-tree', base, head);
    const message = [body['commit_title'], body['commit_message']].filter(Boolean).join('\n\n');
    pull.mergeSha = origin.git('commit-tree', tree, '-p', base, '-p', head, '-m', message);
    origin.git('update-ref', `refs/heads/${pull.base}`, pull.mergeSha, base);
    pull.mergedAt = now();
    end(pull, 'robot');
    return { status: 200, body: { sha: pull.mergeSha, merged: true, message: 'Pull Request successfully merged' } };
  }

  function withPull(act: (pull: Pull, call: Call) => Answer): (call: Call) => Answer {
    return (call) => {
      const number = Number(call.params['pull_number'] ?? call.params['issue_number']);
      const pull = pulls.find((candidate) => candidate.number === number);
      return pull === undefined ? notFound() : act(pull, call);
    };
  }

  function add(head: string, headSha: string, base: string, title: string, body: string | null, fork: boolean): Pull {
    const pull: Pull = {
      number: pulls.length + 1,
      state: 'open',
      title,
      body,
      head,
      headSha,
      base,
      fork,
      createdAt: now(),
      mergedAt: null,
      mergeSha: null,
      closedBy: null,
      comments: [],
    };
    pulls.push(pull);
    return pull;
  }

  function end(pull: Pull, by: string): void {
    pull.headSha = headShaOf(pull);
    pull.state = 'closed';
    pull.closedBy = by;
  }

  function headShaOf(pull: Pull): string {
    if (pull.state === 'closed' || pull.fork) return pull.headSha;
    return origin.sha(`refs/heads/${pull.head}`) ?? pull.headSha;
  }

  function shortBody(pull: Pull) {
    const repository = (owner: string) => ({ name: 'deploy', full_name: `${owner}/deploy` });
    return {
      number: pull.number,
      html_url: `https://github.example/acme/deploy/pull/${pull.number}`,
      state: pull.state,
      title: pull.title,
      body: pull.body,
      created_at: pull.createdAt,
      merged_at: pull.mergedAt,
      // GitHub shows a test merge here until the real one.
      merge_commit_sha: pull.mergeSha ?? 'b'.repeat(40),
      head: { ref: pull.head, sha: headShaOf(pull), repo: repository(pull.fork ? 'mallory' : 'acme') },
      base: { ref: pull.base, sha: origin.sha(`refs/heads/${pull.base}`), repo: repository('acme') },
    };
  }

  function fullBody(pull: Pull) {
    const merged = pull.mergedAt !== null;
    return { ...shortBody(pull), merged, merged_by: merged ? user(pull.closedBy ?? '') : null };
  }

  function find(ref: string): string | undefined {
    return origin.sha(`refs/heads/${ref}`) ?? origin.sha(`refs/tags/${ref}`) ?? origin.sha(ref);
  }

  function isIn(descendant: string, ancestor: string): boolean {
    return origin.tries('merge-base', '--is-ancestor', ancestor, descendant);
  }

  function messageOf(sha: string): string {
    return origin.git('log', '-1', '--format=%B', sha);
  }

  function commitBody(sha: string) {
    const [name, date] = origin.git('log', '-1', '--format=%an%x09%at', sha).split('\t');
    const at = new Date(Number(date) * 1000).toISOString().replace('.000', '');
    return { message: messageOf(sha), author: { name, email: 'x@example.org', date: at } };
  }

  return {
    pulls,
    add,
    answer: (call: Call): Answer => handlers[call.operation.id]?.(call) ?? notFound(),
  };
}

const user = (login: string) => ({ login });
const refBody = (ref: string, sha: string) => ({ ref: `refs/${ref}`, object: { type: 'commit', sha } });
const now = () => new Date().toISOString().replace(/\.\d+/, '');
