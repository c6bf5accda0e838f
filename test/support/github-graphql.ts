import type { Answer } from './github-answers.ts';
import type { Account } from './github-people.ts';
import type { Pulls } from './github-pulls.ts';

/** The mutations that we use, as GitHub documents their inputs: a field, and the type of its variable. */
const INPUTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  enablePullRequestAutoMerge: {
    pullRequestId: 'ID!',
    expectedHeadOid: 'GitObjectID',
    mergeMethod: 'PullRequestMergeMethod',
    commitHeadline: 'String',
    commitBody: 'String',
    authorEmail: 'String',
    clientMutationId: 'String',
  },
  enqueuePullRequest: {
    pullRequestId: 'ID!',
    expectedHeadOid: 'GitObjectID',
    jump: 'Boolean',
    clientMutationId: 'String',
  },
  disablePullRequestAutoMerge: { pullRequestId: 'ID!', clientMutationId: 'String' },
  dequeuePullRequest: { id: 'ID!', clientMutationId: 'String' },
};
const ANSWERS: Readonly<Record<string, RegExp>> = {
  enablePullRequestAutoMerge: /^pullRequest \{ number \}$/,
  enqueuePullRequest: /^mergeQueueEntry \{ position \}$/,
  disablePullRequestAutoMerge: /^pullRequest \{ number \}$/,
  dequeuePullRequest: /^mergeQueueEntry \{ position \}$/,
};
const VALUES: Readonly<Record<string, RegExp>> = {
  ID: /^PR_\d+$/,
  GitObjectID: /^[0-9a-f]{40}$/,
  PullRequestMergeMethod: /^(?:MERGE|SQUASH|REBASE)$/,
  String: /^/,
};

interface Mutation {
  name: string;
  variables: Record<string, string>;
}

/** Holds a request to what GitHub documents; what is wrong with it, or the mutation that it asks for. */
export function parseMutation(body: unknown): Mutation | string[] {
  const { query, variables } = (body ?? {}) as { query?: string; variables?: Record<string, string> };
  const text = String(query).replace(/\s+/g, ' ').trim();
  const form = /^mutation\((?<declared>[^)]*)\) \{ (?<name>\w+)\(input: \{(?<given>[^}]*)\}\) \{ (?<asked>.*) \} \}$/;
  const { declared = '', name = '', given = '', asked = '' } = form.exec(text)?.groups ?? {};
  const input = INPUTS[name];
  if (input === undefined) return [`${text.slice(0, 80)} is no mutation that we know`];
  const types = new Map(declared.split(',').map((one) => one.trim().replace('$', '').split(': ') as [string, string]));
  const problems: string[] = [];
  if (!ANSWERS[name]?.test(asked)) problems.push(`${name} does not answer ${asked}`);
  for (const one of given.split(',')) {
    const [field = '', variable = ''] = one.trim().split(': $');
    const type = types.get(variable);
    const wanted = input[field]?.replace('!', '');
    if (wanted === undefined) problems.push(`${name} has no input ${field}`);
    else if (type?.replace('!', '') !== wanted) problems.push(`${field} is a ${wanted} and no ${type}`);
    else if (!VALUES[wanted]?.test(String(variables?.[variable]))) problems.push(`${field} is no ${wanted}`);
    types.delete(variable);
  }
  for (const unused of types.keys()) problems.push(`variable ${unused} is declared and not used`);
  return problems.length > 0 ? problems : { name, variables: variables ?? {} };
}

export function answerMutation({ name, variables }: Mutation, state: Pulls, by: Account): Answer {
  const pull = state.pulls.find(({ number }) => `PR_${number}` === (variables['pullRequestId'] ?? variables['id']));
  if (pull === undefined) return failed('NOT_FOUND', 'Could not resolve to a node with the global id.');
  if (pull.state !== 'open') return failed('UNPROCESSABLE', 'Pull request is closed');
  if (name === 'dequeuePullRequest') {
    if (!pull.queued) return failed('UNPROCESSABLE', 'Pull request is not in the merge queue');
    pull.queued = false;
    return { status: 200, body: { data: { [name]: { mergeQueueEntry: { position: 1 } } } } };
  }
  if (name === 'disablePullRequestAutoMerge') {
    if (pull.autoMerge === null) return failed('UNPROCESSABLE', "Can't disable auto-merge for this pull request.");
    pull.autoMerge = null;
    return { status: 200, body: { data: { [name]: { pullRequest: { number: pull.number } } } } };
  }
  if (variables['expectedHeadOid'] !== state.headShaOf(pull)) {
    return failed('UNPROCESSABLE', 'Head branch was modified. Review and try the merge again.');
  }
  if (name === 'enqueuePullRequest') {
    if (!state.queues.has(pull.base)) return failed('UNPROCESSABLE', 'The merge queue is not enabled for this branch');
    pull.queued = true;
    return { status: 200, body: { data: { enqueuePullRequest: { mergeQueueEntry: { position: 1 } } } } };
  }
  if (!state.isBlocked(pull)) return failed('UNPROCESSABLE', 'Pull request Pull request is in clean status');
  pull.autoMerge = {
    merge_method: variables['mergeMethod']?.toLowerCase(),
    commit_title: variables['commitHeadline'],
    commit_message: variables['commitBody'],
    enabled_by: by.login,
  };
  return { status: 200, body: { data: { [name]: { pullRequest: { number: pull.number } } } } };
}

function failed(type: string, message: string): Answer {
  return { status: 200, body: { data: null, errors: [{ type, message, path: ['mutation'] }] } };
}
