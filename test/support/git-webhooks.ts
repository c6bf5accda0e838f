import { createHmac } from 'node:crypto';

/** How each Git host proves that it sends, in the headers that it uses. */
export const SECRETS = {
  github: 'secret-of-webhooks-of-github-01',
  gitlab: 'secret-of-webhooks-of-gitlab-02',
  signing: `whsec_${Buffer.from('signing-token-of-gitlab-00000003').toString('base64')}`,
  gitea: 'secret-of-webhooks-of-gitea-004',
  azure: 'password-of-service-hooks-00005',
  bitbucket: 'secret-of-webhooks-of-bitbucket',
} as const;

export type Headers = Record<string, string>;

const hex = (key: string, body: string) => createHmac('sha256', key).update(body).digest('hex');

/** What GitHub sends with a body. */
export function fromGitHub(event: string, body: string, delivery = 'f6266f16-1bf3-46a5-9ea4-602e06ead473'): Headers {
  return {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': delivery,
    'x-hub-signature': `sha1=${createHmac('sha1', SECRETS.github).update(body).digest('hex')}`,
    'x-hub-signature-256': `sha256=${hex(SECRETS.github, body)}`,
  };
}

/** What a GitLab with a secret token sends. */
export function fromGitLab(event: string, key = 'e3b0c442-98fc-4c14-9afb-f4c8996fb924'): Headers {
  return {
    'content-type': 'application/json',
    'x-gitlab-event': event,
    'x-gitlab-token': SECRETS.gitlab,
    'idempotency-key': key,
  };
}

/** What a GitLab with a signing token sends at a moment. */
export function signedByGitLab(event: string, body: string, at: Date, secret: string = SECRETS.signing): Headers {
  const id = 'b5bb9d80-14a0-4f9b-8eba-c4e6f9b2a9a4';
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const digest = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'x-gitlab-event': event,
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${digest}`,
  };
}

/** What Gitea sends; Forgejo says all of it twice, under its own name too. */
export function fromGitea(type: string, body: string, brand: 'gitea' | 'forgejo' = 'gitea'): Headers {
  const own = (name: string) => ({
    [`x-${name}-event`]: type.startsWith('pull_request') ? 'pull_request' : type,
    [`x-${name}-event-type`]: type,
    [`x-${name}-delivery`]: '6fd62bd8-3a0f-4e7c-9a38-5ca1a2b41a3b',
    [`x-${name}-signature`]: hex(SECRETS.gitea, body),
  });
  return { 'content-type': 'application/json', ...own('gitea'), ...(brand === 'forgejo' ? own('forgejo') : {}) };
}

/** What Azure DevOps sends: a name of the operator's choice, and the password. */
export function fromAzure(password: string = SECRETS.azure, user = 'lynceus'): Headers {
  return {
    'content-type': 'application/json; charset=utf-8',
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  };
}

/** What Bitbucket Cloud sends. */
export function fromBitbucket(event: string, body: string): Headers {
  return {
    'content-type': 'application/json',
    'x-event-key': event,
    'x-request-uuid': '{9a2f2b0e-7f4e-4d8b-8a43-1f1f2b7a9c11}',
    'x-hub-signature': `sha256=${hex(SECRETS.bitbucket, body)}`,
  };
}

const COMMIT = '1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c';

/** Bodies as the hosts document them, for one repository `acme/deploy` and its pull request 7. */
export const BODIES = {
  gitlab: {
    push: {
      object_kind: 'push',
      ref: 'refs/heads/stage/staging',
      after: COMMIT,
      project: gitlabProject(),
      commits: [{ id: COMMIT, message: 'Release 3', added: [], modified: ['app.yaml'], removed: [] }],
    },
    mergeRequest: {
      object_kind: 'merge_request',
      event_type: 'merge_request',
      user: { id: 12, username: 'ada', email: '[REDACTED]' },
      project: gitlabProject(),
      object_attributes: {
        iid: 7,
        action: 'approved',
        target_branch: 'stage/staging',
        last_commit: { id: COMMIT },
        state: 'opened',
      },
    },
    note: {
      object_kind: 'note',
      project: gitlabProject(),
      object_attributes: { noteable_type: 'MergeRequest', action: 'create', note: '/lynceus hold' },
      merge_request: { iid: 7 },
    },
    pipeline: {
      object_kind: 'pipeline',
      project: gitlabProject(),
      object_attributes: { status: 'success', sha: COMMIT, ref: 'stage/staging' },
      merge_request: null,
    },
  },
  gitea: {
    push: { ref: 'refs/heads/main', after: COMMIT, repository: giteaRepository() },
    review: {
      action: 'reviewed',
      number: 7,
      pull_request: { number: 7, head: { sha: COMMIT } },
      review: { type: 'pull_request_review_approved', content: 'fine' },
      repository: giteaRepository(),
    },
    comment: { action: 'created', is_pull: true, issue: { number: 7 }, repository: giteaRepository() },
    status: { sha: COMMIT, context: 'ci/build', state: 'success', repository: giteaRepository() },
  },
  azure: {
    push: {
      id: '03c164c2-8912-4d5e-8009-3707d5f83734',
      eventType: 'git.push',
      resource: {
        refUpdates: [{ name: 'refs/heads/stage/staging', newObjectId: COMMIT }],
        repository: azureRepository(),
      },
    },
    voted: {
      id: '6872ee8c-b333-4eff-bfb9-0d5274943566',
      eventType: 'git.pullrequest.updated',
      message: { text: 'Ada Lovelace approved pull request 7' },
      resource: { pullRequestId: 7, status: 'active', repository: azureRepository() },
    },
    comment: {
      id: 'b4a5ad1c-7a0f-4d2a-8d1c-6f4e9e2d7c55',
      eventType: 'ms.vss-code.git-pullrequest-comment-event',
      resource: {
        comment: { content: '/lynceus hold' },
        pullRequest: { pullRequestId: 7, repository: azureRepository() },
      },
    },
  },
  bitbucket: {
    push: {
      repository: bitbucketRepository(),
      push: {
        changes: [
          { new: { type: 'branch', name: 'stage/staging' }, old: { type: 'branch', name: 'stage/staging' } },
          { new: null, old: { type: 'branch', name: 'gone' } },
          { new: { type: 'tag', name: 'v3' }, old: null },
        ],
      },
    },
    approved: {
      repository: bitbucketRepository(),
      pullrequest: { id: 7, state: 'OPEN' },
      approval: { date: '2026-11-21T10:00:00Z' },
    },
    status: {
      repository: bitbucketRepository(),
      commit_status: {
        key: 'build',
        state: 'SUCCESSFUL',
        links: { commit: { href: `https://api.bitbucket.org/2.0/repositories/acme/deploy/commit/${COMMIT}` } },
      },
    },
  },
} as const;

function gitlabProject() {
  return {
    id: 15,
    path_with_namespace: 'acme/deploy',
    default_branch: 'main',
    git_http_url: 'https://gitlab.example.com/acme/deploy.git',
  };
}

function giteaRepository() {
  return {
    full_name: 'acme/deploy',
    clone_url: 'https://gitea.example.com/acme/deploy.git',
    default_branch: 'main',
  };
}

function azureRepository() {
  return {
    id: '278d5cd2-584d-4b63-824a-2ba458937249',
    name: 'deploy',
    defaultBranch: 'refs/heads/main',
    remoteUrl: 'https://acme@dev.azure.com/acme/shop/_git/deploy',
  };
}

function bitbucketRepository() {
  return {
    full_name: 'acme/deploy',
    mainbranch: { type: 'branch', name: 'main' },
    links: { html: { href: 'https://bitbucket.org/acme/deploy' } },
  };
}
