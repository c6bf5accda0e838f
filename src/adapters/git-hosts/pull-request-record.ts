import Type, { type Static } from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { schemas } from '../../base/schemas.ts';

/** Room for a text of 60 kB and a few hundred comments. */
export const MAX_RECORD_BYTES = 1024 * 1024;

const closed = { additionalProperties: false } as const;

/** `pull-request.json`: a pull request as the repository itself keeps it. */
export const PullRequestRecord = Type.Object(
  {
    number: Type.Integer({ minimum: 1 }),
    state: Type.Union([Type.Literal('open'), Type.Literal('merged'), Type.Literal('closed')]),
    headBranch: Type.String({ minLength: 1 }),
    headSha: Type.String({ pattern: '^[0-9a-f]{40,64}$' }),
    baseBranch: Type.String({ minLength: 1 }),
    title: Type.String(),
    body: Type.String(),
    comments: Type.Array(
      Type.Object(
        {
          at: Type.String(),
          text: Type.String(),
          marker: Type.Optional(Type.String()),
          edited: Type.Optional(Type.Boolean()),
        },
        closed,
      ),
    ),
    labels: Type.Optional(Type.Array(Type.String())),
    createdAt: Type.String(),
    endedAt: Type.Optional(Type.String()),
    endedBy: Type.Optional(Type.String()),
    mergeSha: Type.Optional(Type.String({ pattern: '^[0-9a-f]{40,64}$' })),
  },
  closed,
);
export type PullRequestRecord = Static<typeof PullRequestRecord>;

// Of the two ways to check, the one that everything else is checked by: each keeps some MB of code in memory.
const validator = schemas({})<PullRequestRecord>(PullRequestRecord);

/** @throws {AdapterError} `bad-response` when somebody else wrote something else there */
export function parseRecord(text: string, ref: string): PullRequestRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AdapterError('bad-response', `${ref} holds no JSON; delete the ref if nobody needs it`);
  }
  if (validator()(value)) return value;
  throw new AdapterError('bad-response', `${ref} holds no pull request of ours; delete the ref if nobody needs it`);
}

/** First line of the commit that holds a record: a list can be filtered by it without reading the records. */
export function subjectOf(record: PullRequestRecord): string {
  return `${record.state} ${record.headBranch} into ${record.baseBranch}`;
}

/** The reverse of `subjectOf`. */
export function parseSubject(subject: string): { state: string; headBranch: string; baseBranch: string } | undefined {
  const [, state, headBranch, baseBranch] = /^(open|merged|closed) (\S+) into (\S+)$/.exec(subject) ?? [];
  if (state === undefined || headBranch === undefined || baseBranch === undefined) return undefined;
  return { state, headBranch, baseBranch };
}
