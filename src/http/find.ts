import { type Request, type Response, Router } from 'express';
import { pullRequestKey } from '../events/pull-request-url.ts';
import type { ChangeBoard } from '../runtime/change-board.ts';
import type { KeyQuery } from '../store/changes.ts';
import type { Store } from '../store/store.ts';
import { missingChangePage } from '../ui/pages/change-missing.ts';
import type { Authentication } from './authentication.ts';
import type { FrameOf } from './pages/frame.ts';
import { Refusal } from './problem.ts';

export interface FindTools {
  store: Pick<Store, 'findChanges'>;
  board: Pick<ChangeBoard, 'list' | 'row' | 'rows'>;
  authentication: Pick<Authentication, 'require' | 'viewer'>;
  frameOf: FrameOf;
  /** Absent: answers have no links. */
  publicUrl?: string | undefined;
}

const FULL_COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const COMMIT = /^[0-9a-f]{4,64}$/;
const DIGEST = /^sha256:[0-9a-f]{4,64}$/;
const NUMBER = /^\d{1,12}$/;
const MAX_FOUND = 20;
const MAX_SUGGESTED = 3;

/** What is looked for, and in which words a list is narrowed to it. */
interface Sought {
  what: string;
  key: KeyQuery;
  q: string;
  /** The newest one is meant: an application has one change after the other. */
  newest?: true;
}

/** Permanent addresses for what others know a change by: each leads to the change, or to the list of those meant. */
export function findRoutes(tools: FindTools): Router {
  const router = Router();
  const read = tools.authentication.require('read');
  const route = (path: string, seek: (request: Request) => Sought) =>
    router.get(path, read, (request, response) => lead(tools, seek(request), request, response));
  route('/find/commit/:sha', commitIn);
  route('/find/image/:digest', digestIn);
  route('/find/pr/:host/*path', pullRequestIn);
  route('/find/argocd/:namespace/:app', argocdIn);
  route('/find/flux/:kind/:namespace/:name', (request) => {
    const [kind, namespace, name] = ['kind', 'namespace', 'name'].map((one) => parameter(request, one)) as [
      string,
      string,
      string,
    ];
    const value = `${kind.toLowerCase()}/${namespace}/${name}`;
    return application(`${kind} ${name} in ${namespace}`, 'flux', value, name);
  });
  router.get('/api/v1/find/argocd/:namespace/:app', read, async (request, response) => {
    response.json(await newestOf(tools, argocdIn(request), response));
  });
  return router;
}

/** For programs that want the answers at once, as the panel in Argo CD does. */
async function newestOf(
  { store, board, authentication, publicUrl }: FindTools,
  { what, key }: Sought,
  response: Response,
) {
  const [id] = await store.findChanges(key);
  const row = id === undefined ? undefined : await board.row(id, authentication.viewer(response));
  if (!row) throw nothing(what);
  return { row, ...(publicUrl === undefined ? {} : { url: `${publicUrl}/changes/${encodeURIComponent(row.id)}` }) };
}

function argocdIn(request: Request): Sought {
  const [namespace, app] = [parameter(request, 'namespace'), parameter(request, 'app')];
  return application(`application ${app} in ${namespace}`, 'argocd', `${namespace}/${app}`, app);
}

function application(what: string, name: string, value: string, q: string): Sought {
  return { what, key: { name, value, limit: 1 }, q, newest: true };
}

function commitIn(request: Request): Sought {
  const sha = parameter(request, 'sha').toLowerCase();
  if (!COMMIT.test(sha)) throw wrong('a commit is 4 to 64 hexadecimal digits');
  const prefix = FULL_COMMIT.test(sha) ? {} : { prefix: true };
  return { what: `commit ${sha}`, key: { name: 'commit', value: sha, ...prefix, limit: MAX_FOUND }, q: sha };
}

function digestIn(request: Request): Sought {
  const text = parameter(request, 'digest').toLowerCase();
  const digest = text.includes(':') ? text : `sha256:${text}`;
  if (!DIGEST.test(digest)) throw wrong('a digest is sha256: and 64 hexadecimal digits, or the first of them');
  return { what: `image ${digest}`, key: { name: 'digest', value: digest, prefix: true, limit: MAX_FOUND }, q: digest };
}

/** Groups of GitLab nest: whatever stands between host and number is the repository. */
function pullRequestIn(request: Request): Sought {
  const { path } = request.params as { path?: unknown };
  const segments = Array.isArray(path) ? path.map(String) : [];
  const number = segments.at(-1) ?? '';
  const repository = segments.slice(0, -1);
  if (!NUMBER.test(number) || repository.length < 2)
    throw wrong('a pull request is /find/pr/HOST/OWNER/REPOSITORY/NUMBER');
  const value = pullRequestKey([parameter(request, 'host'), ...repository].join('/'), Number(number));
  return { what: `pull request ${value}`, key: { name: 'pr', value, limit: MAX_FOUND }, q: `#${Number(number)}` };
}

async function lead(tools: FindTools, sought: Sought, request: Request, response: Response): Promise<void> {
  const ids = await tools.store.findChanges(sought.key);
  const [newest] = ids;
  if (newest === undefined) return nowhere(tools, sought, request, response);
  const isOne = sought.newest === true || ids.length === 1 || (await areOfOneService(tools, ids));
  const q = encodeURIComponent(sought.q);
  response.redirect(302, isOne ? `/changes/${encodeURIComponent(newest)}` : `/changes?q=${q}`);
}

/** The same commit or image again, in the same service: the newest is where it is now. */
async function areOfOneService({ board }: FindTools, ids: readonly string[]): Promise<boolean> {
  const rows = await board.rows(ids, undefined);
  const commits = new Set(rows.map(({ commit }) => commit.id ?? commit.text));
  return new Set(rows.map(({ project, service }) => `${project}/${service}`)).size === 1 && commits.size === 1;
}

async function nowhere(
  { board, frameOf, authentication }: FindTools,
  { what, q }: Sought,
  request: Request,
  response: Response,
): Promise<void> {
  if (request.accepts('application/problem+json', 'json', 'html') !== 'html')
    throw new Refusal(
      404,
      'not-found',
      `there is no change with ${what}: it was never delivered here, or not reported`,
    );
  const { rows } = await board.list({ q, limit: MAX_SUGGESTED }, authentication.viewer(response));
  response
    .status(404)
    .type('html')
    .send(missingChangePage(frameOf(request, response, 'changes'), q, rows));
}

function nothing(what: string): Refusal {
  return new Refusal(404, 'not-found', `there is no change with ${what}: it was never delivered here, or not reported`);
}

function parameter({ params }: Request, name: string): string {
  const value = params[name];
  return typeof value === 'string' ? value : '';
}

function wrong(detail: string): Refusal {
  return new Refusal(400, 'invalid-request', detail);
}
