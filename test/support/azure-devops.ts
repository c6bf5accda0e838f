import type { BareRepository } from '../../examples/sandbox/git.ts';
import type { MergeMethod } from '../../src/adapters/git-hosts/git-host.ts';
import {
  type Account,
  type Accounts,
  type Answer,
  type Call,
  createAccounts,
  type FakeHost,
  guid,
  type Routes,
  startFakeHost,
} from './fake-host.ts';
import { createFakePulls, type FakePull, type FakePulls } from './fake-pulls.ts';

export interface FakeAzureDevOps extends FakeHost {
  accounts: Accounts;
  pulls: FakePulls;
  /** Branches into which nothing is merged before the pull request is in `satisfied`. */
  guarded: Set<string>;
  satisfied: Set<number>;
  /** What else a pull request has here. */
  extrasOf(pull: FakePull): Extras;
}

interface Extras {
  /** What it says of its head: brought up to date in the background, after it was looked at. */
  seenHead: string;
  autoComplete: { by: Account; options: CompletionOptions } | undefined;
  /** Posted for an iteration: `1 lynceus/evaluation succeeded`. */
  marks: string[];
  mergeStatus: string | undefined;
}

interface CompletionOptions {
  mergeStrategy: string;
  mergeCommitMessage: string;
  deleteSourceBranch: boolean;
  bypassPolicy?: boolean;
}

const REPO = '/shop%20floor/_apis/git/repositories/deploy';
const NOTHING = '0'.repeat(40);
const METHODS: Record<string, MergeMethod> = { noFastForward: 'merge', squash: 'squash', rebase: 'rebase' };

/**
 * The REST API of Azure DevOps for one repository, `deploy` in the project `shop floor` of the organisation `acme`, with
 * a real Git repository behind it. Written from what is known of version 7.1, not from recordings.
 */
export async function startFakeAzureDevOps(origin: BareRepository, token: string): Promise<FakeAzureDevOps> {
  const accounts = createAccounts();
  accounts.add('robot', 'admin').token = token;
  const pulls = createFakePulls(origin);
  const rules = { guarded: new Set<string>(), satisfied: new Set<number>() };
  const extras = new Map<FakePull, Extras>();
  const extrasOf = (pull: FakePull): Extras => {
    const known = extras.get(pull) ?? {
      seenHead: pulls.headShaOf(pull),
      autoComplete: undefined,
      marks: [],
      mergeStatus: undefined,
    };
    extras.set(pull, known);
    return known;
  };
  const world: World = { origin, accounts, pulls, ...rules, extrasOf };
  const host = await startFakeHost({
    origin,
    prefix: '/acme',
    routes: { ...gitRoutes(world), ...pullRoutes(world), ...discussionRoutes(world), ...peopleRoutes(world) },
    who: ({ authorization = '', accept = '' }) => {
      // Who names no version does not get far.
      if (!/api-version=7\.1(?:-preview)?$/.test(accept)) return undefined;
      const basic = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
      return basic.startsWith(':') ? accounts.byToken(basic.slice(1)) : undefined;
    },
    byToken: accounts.byToken,
    gitPath: '/acme/shop%20floor/_git/deploy',
    git: /\/_git\//,
    elsewhere: /^\/shop%20floor\/_apis\/git\/repositories\/(?!deploy(?:\/|$))/,
  });
  return Object.assign(host, { accounts, pulls, ...rules, extrasOf });
}

interface World extends Pick<FakeAzureDevOps, 'accounts' | 'pulls' | 'guarded' | 'satisfied' | 'extrasOf'> {
  origin: BareRepository;
}

const ok = (body: unknown, status = 200): Answer => ({ status, body });
const list = (value: readonly unknown[]): Answer => ok({ count: value.length, value });
const failed = (status: number, typeKey: string, message: string): Answer => ({
  status,
  body: { $id: '1', innerException: null, message, typeKey, errorCode: 0, eventId: 3000 },
});
const noCommit = (name: string) =>
  failed(404, 'GitUnresolvableToCommitException', `TF401175: The version descriptor <${name}> could not be resolved`);
const noPull = () =>
  failed(404, 'GitPullRequestNotFoundException', 'TF401180: The requested pull request was not found.');

function gitRoutes({ origin }: World): Routes {
  return {
    [`GET ${REPO}`]: () => ok({ id: 'r1', name: 'deploy', defaultBranch: 'refs/heads/main' }),
    [`GET ${REPO}/refs`]: ({ query }) => {
      const refs = origin.git('for-each-ref', '--format=%(refname) %(objectname) %(*objectname)').split('\n');
      const found = refs
        .map((line) => line.split(' '))
        .filter(([name = '']) => name.startsWith(`refs/${query.get('filter')}`))
        .map(([name, objectId, peeled]) => ({ name, objectId, ...(peeled ? { peeledObjectId: peeled } : {}) }));
      return list(found.slice(0, Number(query.get('$top') ?? 1_000)));
    },
    [`POST ${REPO}/refs`]: ({ body }) =>
      list((body as unknown as RefUpdate[]).map((update) => moveRef(origin, update))),
    [`GET ${REPO}/commits/{sha}`]: ({ params }) => {
      const sha = origin.sha(params['sha'] ?? '');
      if (sha === undefined || !/^[0-9a-f]{7,40}$/.test(params['sha'] ?? '')) return noCommit(params['sha'] ?? '');
      return ok({ commitId: sha, comment: origin.git('log', '-1', '--format=%B', sha) });
    },
    [`GET ${REPO}/items`]: ({ query }) => {
      const sha = origin.sha(query.get('versionDescriptor.version') ?? '');
      if (sha === undefined) return noCommit(query.get('versionDescriptor.version') ?? '');
      const path = (query.get('path') ?? '').slice(1);
      const name = `${sha}:${path}`;
      if (!origin.tries('cat-file', '-e', name))
        return failed(404, 'GitItemNotFoundException', `TF401174: The item '${path}' could not be found`);
      const objectId = origin.git('rev-parse', name);
      const gitObjectType = origin.git('cat-file', '-t', name);
      if (gitObjectType === 'tree') return ok({ objectId, gitObjectType, isFolder: true, path: `/${path}` });
      // Decoded as it guesses, and without a byte order mark.
      const content = origin
        .bytes('cat-file', 'blob', name)
        .toString('utf8')
        .replace(/^\uFEFF/, '');
      return ok({ objectId, gitObjectType, path: `/${path}`, ...(content === '' ? {} : { content }) });
    },
    [`GET ${REPO}/diffs/commits`]: ({ query }) => {
      const [base, target] = [query.get('baseVersion') ?? '', query.get('targetVersion') ?? ''];
      for (const sha of [base, target]) if (origin.sha(sha) === undefined) return noCommit(sha);
      const common = origin.tries('merge-base', base, target)
        ? { commonCommit: origin.git('merge-base', base, target) }
        : {};
      return ok({ baseCommit: base, targetCommit: target, ...common, changes: [] });
    },
  };
}

interface RefUpdate {
  name: string;
  oldObjectId: string;
  newObjectId: string;
}

function moveRef(origin: BareRepository, update: RefUpdate) {
  const { name, oldObjectId, newObjectId } = update;
  const now = origin.sha(name) ?? NOTHING;
  if (now !== oldObjectId) return { ...update, success: false, updateStatus: 'staleOldObjectId' };
  if (newObjectId === NOTHING) origin.git('update-ref', '-d', name, oldObjectId);
  else origin.git('update-ref', name, newObjectId, oldObjectId);
  return { ...update, success: true, updateStatus: 'succeeded' };
}

function pullRoutes(world: World): Routes {
  const { origin, pulls, guarded, satisfied, extrasOf } = world;
  const withPull = (act: (pull: FakePull, call: Call) => Answer) => (call: Call) => {
    const pull = pulls.find(Number(call.params['id']));
    return pull === undefined ? noPull() : act(pull, call);
  };

  function complete(pull: FakePull, by: Account, options: CompletionOptions): void {
    const method = METHODS[options.mergeStrategy];
    if (method === undefined) throw new Error(`there is no merge strategy ${options.mergeStrategy}`);
    if (!pulls.merge(pull, method, options.mergeCommitMessage, by)) extrasOf(pull).mergeStatus = 'conflicts';
  }

  /** What it does in the background. */
  function tick(pull: FakePull): void {
    const { autoComplete } = extrasOf(pull);
    if (autoComplete === undefined || pull.state !== 'open') return;
    if (!guarded.has(pull.base) || satisfied.has(pull.number)) complete(pull, autoComplete.by, autoComplete.options);
  }

  return {
    [`GET ${REPO}/pullrequests`]: ({ query }) => {
      const target = query.get('searchCriteria.targetRefName')?.replace('refs/heads/', '');
      const found = pulls.all.filter((pull) => pull.state === 'open' && pull.base === target).toReversed();
      const skip = Number(query.get('$skip') ?? 0);
      const page = found.slice(skip, skip + Number(query.get('$top') ?? 101));
      return list(
        page.map((pull) => {
          const body = pullBody(world, pull);
          return { ...body, description: body.description.slice(0, 400), labels: undefined };
        }),
      );
    },
    [`POST ${REPO}/pullrequests`]: ({ body, by }) => {
      const [head, base] = [body['sourceRefName'], body['targetRefName']].map((ref) =>
        String(ref).replace('refs/heads/', ''),
      );
      if (head === undefined || base === undefined) throw new Error('no branches');
      for (const branch of [head, base])
        if (origin.sha(`refs/heads/${branch}`) === undefined)
          return failed(400, 'GitPullRequestInvalidBranchException', `TF401398: ${branch} no longer exists`);
      const description = String(body['description']);
      if (description.length > 4_000)
        return failed(400, 'InvalidArgumentValueException', 'the description is too long');
      const same = pulls.all.some(
        (pull) => pull.state === 'open' && !pull.fork && pull.head === head && pull.base === base,
      );
      if (same) return failed(409, 'GitPullRequestExistsException', 'TF401179: An active pull request exists already');
      return ok(pullBody(world, pulls.add({ head, base, title: String(body['title']), body: description, by })), 201);
    },
    [`GET ${REPO}/pullrequests/{id}`]: withPull((pull) => {
      tick(pull);
      return ok(pullBody(world, pull));
    }),
    [`GET ${REPO}/pullRequests/{id}`]: withPull((pull) => ok(pullBody(world, pull))),
    [`PATCH ${REPO}/pullrequests/{id}`]: withPull((pull, { body, by }) => {
      if (pull.state !== 'open')
        return failed(
          400,
          'GitPullRequestNotEditableException',
          'TF401181: The pull request cannot be edited due to its state.',
        );
      const status = body['status'];
      const source = (body['lastMergeSourceCommit'] as { commitId: string } | undefined)?.commitId;
      if (source !== undefined && status !== 'completed')
        return failed(400, 'InvalidArgumentValueException', 'this cannot be updated');
      const options = body['completionOptions'] as CompletionOptions | undefined;
      if (JSON.stringify(options ?? {}).length > 4_000)
        return failed(400, 'InvalidArgumentValueException', 'the completion options are too long');
      if (status === 'completed') {
        if (source !== pulls.headShaOf(pull))
          return failed(409, 'GitPullRequestStaleException', 'TF401192: The source branch has been modified');
        if (guarded.has(pull.base) && !satisfied.has(pull.number))
          return failed(403, 'GitPullRequestUpdateRejectedByPolicyException', 'At least 1 reviewer must approve');
        // Answers first, and merges then.
        const before = pullBody(world, pull);
        if (options !== undefined) complete(pull, by, options);
        return ok({ ...before, mergeStatus: 'queued' });
      }
      if (typeof body['title'] === 'string') pull.title = body['title'];
      if (typeof body['description'] === 'string') {
        if (body['description'].length > 4_000) return failed(400, 'InvalidArgumentValueException', 'too long');
        pull.body = body['description'];
      }
      const auto = body['autoCompleteSetBy'] as { id: string } | undefined;
      if (auto !== undefined) {
        const unset = /^[0-]+$/.test(auto.id);
        if (!unset && auto.id !== guid(by)) return failed(400, 'InvalidArgumentValueException', 'only for oneself');
        extrasOf(pull).autoComplete = unset || options === undefined ? undefined : { by, options };
      }
      if (status === 'abandoned') pulls.end(pull, 'closed', by);
      return ok(pullBody(world, pull));
    }),
    [`GET ${REPO}/pullRequests/{id}/iterations`]: withPull((pull) =>
      list([{ id: 1, sourceRefCommit: { commitId: pulls.headShaOf(pull) }, createdDate: pull.createdAt }]),
    ),
    [`POST ${REPO}/pullRequests/{id}/iterations/{iteration}/statuses`]: withPull((pull, { params, body }) => {
      const { genre, name } = body['context'] as { genre: string; name: string };
      extrasOf(pull).marks.push(`${params['iteration']} ${genre}/${name} ${body['state']}`);
      return ok({ id: 1 });
    }),
  };
}

function discussionRoutes({ origin, pulls, accounts }: World): Routes {
  const withPull = (act: (pull: FakePull, call: Call) => Answer) => (call: Call) => {
    const pull = pulls.find(Number(call.params['id']));
    return pull === undefined ? noPull() : act(pull, call);
  };
  const states: Record<string, string> = { pending: 'pending', succeeded: 'success', failed: 'failure' };
  return {
    [`GET ${REPO}/pullRequests/{id}/threads`]: withPull((pull) =>
      list([votes(pull), ...pull.comments.map(threadBody)]),
    ),
    [`POST ${REPO}/pullRequests/{id}/threads`]: withPull((pull, { body, by }) => {
      const [comment] = body['comments'] as { content: string }[];
      return ok(threadBody(pulls.comment(pull, by, String(comment?.content))));
    }),
    [`PATCH ${REPO}/pullRequests/{id}/threads/{thread}/comments/{comment}`]: withPull((pull, { params, body }) => {
      const found = pull.comments.find(({ id }) => id === Number(params['thread']));
      if (found === undefined) return failed(404, 'DiscussionThreadNotFoundException', 'no such thread');
      pulls.edit(found, String(body['content']));
      return ok({});
    }),
    [`GET ${REPO}/pullRequests/{id}/labels`]: withPull((pull) => list(labelsOf(pulls, pull))),
    [`POST ${REPO}/pullRequests/{id}/labels`]: withPull((pull, { body }) => {
      pull.labels = [...new Set([...pull.labels, String(body['name'])])];
      return ok({ name: body['name'] });
    }),
    [`DELETE ${REPO}/pullRequests/{id}/labels/{label}`]: withPull((pull, { params }) => {
      pull.labels = pull.labels.filter((name) => `label-${pulls.labelId(name)}` !== params['label']);
      return { status: 200 };
    }),
    [`PUT ${REPO}/pullRequests/{id}/reviewers/{reviewer}`]: withPull((pull, { params }) => {
      const account = accounts.all.find((one) => guid(one) === params['reviewer']);
      if (account !== undefined) pull.asked.push(account);
      else if (params['reviewer'] === GROUP) pull.askedGroups.push('release');
      else return failed(404, 'IdentityNotFoundException', 'no such identity');
      return ok({});
    }),
    [`GET ${REPO}/commits/{sha}/statuses`]: ({ params }) => {
      const sha = params['sha'] ?? '';
      if (origin.sha(sha) === undefined) return noCommit(sha);
      return list(
        (pulls.statuses.get(sha) ?? []).map(({ name, state, description, url }) => ({
          state: Object.entries(states).find(([, ours]) => ours === state)?.[0],
          description,
          targetUrl: url,
          context: { genre: name.split('/')[0], name: name.split('/')[1] },
        })),
      );
    },
    [`POST ${REPO}/commits/{sha}/statuses`]: ({ params, body }) => {
      const sha = params['sha'] ?? '';
      if (origin.sha(sha) === undefined) return noCommit(sha);
      const { genre, name } = body['context'] as { genre: string; name: string };
      const text = (key: string) => String(body[key] ?? '');
      const state = states[text('state')] ?? 'unknown';
      pulls.mark(sha, { name: `${genre}/${name}`, state, description: text('description'), url: text('targetUrl') });
      return ok(body, 201);
    },
  };
}

/** A group that can be asked for a review. */
const GROUP = '99999999-0000-4000-8000-000000000000';

function peopleRoutes({ accounts }: World): Routes {
  return {
    'GET /_apis/connectionData': ({ by }) =>
      ok({
        authenticatedUser: {
          id: guid(by),
          providerDisplayName: `${by.login} the person`,
          properties: { Account: { $type: 'System.String', $value: by.login } },
        },
      }),
    'GET /_apis/identities': ({ query }) => {
      const wanted = query.get('filterValue') ?? '';
      const group = { id: GROUP, providerDisplayName: '[shop floor]\\release', isActive: true, isContainer: true };
      // As people search: whoever has the words anywhere in the name.
      const found = accounts.all
        .filter(({ login }) => login.includes(wanted))
        .map((one) => ({ id: guid(one), isActive: true, properties: { Account: { $value: one.login } } }));
      return list(wanted === group.providerDisplayName ? [group] : found);
    },
  };
}

const person = (account: Account) => ({
  id: guid(account),
  displayName: `${account.login} the person`,
  uniqueName: account.login,
});

function labelsOf(pulls: FakePulls, pull: FakePull) {
  return pull.labels.map((name) => ({ id: `label-${pulls.labelId(name)}`, name, active: true }));
}

function threadBody({ id, body, by, createdAt, updatedAt }: FakePull['comments'][number]) {
  const times = { publishedDate: createdAt, lastUpdatedDate: updatedAt, lastContentUpdatedDate: updatedAt };
  const comment = { id: 1, parentCommentId: 0, author: person(by), content: body, commentType: 'text', ...times };
  return { id, status: 'closed', comments: [comment], isDeleted: false };
}

/** What it says itself stands among what people say. */
function votes({ by, createdAt }: FakePull) {
  const times = { publishedDate: createdAt, lastContentUpdatedDate: createdAt };
  const comment = { id: 1, author: person(by), content: 'somebody voted 10', commentType: 'system', ...times };
  return { id: 100_000, comments: [comment], properties: { CodeReviewThreadType: { $value: 'VoteUpdate' } } };
}

function pullBody({ pulls, extrasOf }: World, pull: FakePull) {
  const extras = extrasOf(pull);
  const head = pulls.headShaOf(pull);
  // A push is seen by the next look but one, as the merge is tried in the background.
  const behind = pull.state === 'open' && extras.seenHead !== head;
  const seen = behind ? extras.seenHead : head;
  extras.seenHead = head;
  const conflicts = pull.state === 'open' && !pull.fork && pulls.mergedTree(pull) === undefined;
  const status = { open: 'active', closed: 'abandoned', merged: 'completed' }[pull.state];
  return {
    pullRequestId: pull.number,
    status,
    title: pull.title,
    description: pull.body,
    sourceRefName: `refs/heads/${pull.head}`,
    targetRefName: `refs/heads/${pull.base}`,
    creationDate: pull.createdAt,
    createdBy: person(pull.by),
    closedBy: pull.endedBy && person(pull.endedBy),
    isDraft: false,
    mergeStatus: behind ? 'queued' : (extras.mergeStatus ?? (conflicts ? 'conflicts' : 'succeeded')),
    lastMergeSourceCommit: { commitId: seen },
    lastMergeCommit: pull.mergeSha === null ? null : { commitId: pull.mergeSha },
    autoCompleteSetBy: extras.autoComplete && person(extras.autoComplete.by),
    ...(pull.fork ? { forkSource: { repository: { id: 'r2' } } } : {}),
    labels: labelsOf(pulls, pull),
    reviewers: [
      ...pull.asked.map((one) => ({ ...person(one), vote: 0 })),
      ...pull.askedGroups.map((displayName) => ({ id: GROUP, displayName, isContainer: true, vote: 0 })),
    ],
  };
}
