import { AdapterError } from '../../base/adapter-error.ts';
import type { Comment } from '../../promotion/people.ts';
import type { CallOptions } from './git-host.ts';
import type { GitRepository } from './git-repository.ts';
import { bounded, type Committer, type LocalPullRequests } from './local-pull-requests.ts';

const MAX_COMMENTS = 500;
const MAX_LABELS = 100;

/** Comments and labels of pull requests that a repository keeps itself. Nobody writes there but we. */
export function createLocalDiscussion(pullRequests: LocalPullRequests, committer: Committer) {
  async function putComment(
    repository: GitRepository,
    number: number,
    { marker, body }: { marker: string; body: string },
    call?: CallOptions,
  ): Promise<void> {
    await pullRequests.rewrite(
      repository,
      number,
      (record) => {
        const ours = record.comments.find((one) => one.marker === marker);
        if (ours?.text === body) return undefined;
        const text = bounded(body);
        if (ours === undefined && record.comments.length >= MAX_COMMENTS) {
          throw new AdapterError('rejected', `pull request ${number} has ${MAX_COMMENTS} comments already`);
        }
        const comments =
          ours === undefined
            ? [...record.comments, { at: new Date().toISOString(), text, marker }]
            : record.comments.map((one) => (one === ours ? { ...one, text, edited: true } : one));
        return { ...record, comments };
      },
      call,
    );
  }

  async function readComments(repository: GitRepository, number: number, call?: CallOptions): Promise<Comment[]> {
    const { comments } = await pullRequests.record(repository, number, call);
    const by = { id: committer.email, login: committer.name, bot: true };
    return comments
      .map(({ at, text, edited = false }, place) => ({ id: String(place + 1), by, body: text, at, edited }))
      .slice(-MAX_COMMENTS);
  }

  async function changeLabels(
    repository: GitRepository,
    number: number,
    { add, remove }: { add: readonly string[]; remove: readonly string[] },
    call?: CallOptions,
  ): Promise<void> {
    await pullRequests.rewrite(
      repository,
      number,
      (record) => {
        const before = record.labels ?? [];
        const labels = [...new Set([...before, ...add])].filter((label) => !remove.includes(label));
        if (labels.length > MAX_LABELS) {
          throw new AdapterError('rejected', `${labels.length} labels are more than the ${MAX_LABELS} we keep`);
        }
        const same = labels.length === before.length && labels.every((label) => before.includes(label));
        return same ? undefined : { ...record, labels: labels.map(bounded) };
      },
      call,
    );
  }

  return { putComment, readComments, changeLabels };
}
