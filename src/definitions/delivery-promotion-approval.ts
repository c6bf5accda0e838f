import Type, { type Static } from 'typebox';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { Duration, toMs } from './quantities.ts';
import type { Path } from './read-yaml.ts';

/** Whose reviews let a promotion through. */
export interface ReviewPolicy {
  /** So many people. */
  quorum: number;
  /** Groups as the Git host names them; a person in one of them counts. */
  groups: string[];
  /** Ids that the Git host has given people; together with `groups`: either is enough. Both empty: whoever may write. */
  people: string[];
  /** Whether who opened the pull request, or wrote a commit in it, may approve it. */
  authors: 'refuse' | 'allow';
  /** Ids of programs whose reviews count; others never do. */
  bots: string[];
  /** An older review counts no more. */
  expiresAfterMs: number;
}

/** How an open promotion comes to its end; what is absent is as `REVIEW_DEFAULTS` say. */
export interface MergePolicy {
  /** Absent: what `onPass` and `onWarning` say; a manual promotion then needs the review of one person. */
  approval?: ReviewPolicy;
  /** `person`: we only mark it. `host`: it is handed to auto-merge or a merge queue of the host. */
  merge?: 'lynceus' | 'person' | 'host';
  method?: 'merge' | 'squash' | 'rebase';
}

/** What `approval`, `merge` and `method` of a promotion mean where they say nothing. */
export const REVIEW_DEFAULTS = {
  quorum: 1,
  authors: 'refuse',
  expires: '7d',
  merge: 'lynceus',
  method: 'merge',
} as const;

/** Of a manual promotion whose policy does not say more. */
export const DEFAULT_REVIEWS: ReviewPolicy = {
  quorum: REVIEW_DEFAULTS.quorum,
  groups: [],
  people: [],
  authors: REVIEW_DEFAULTS.authors,
  bots: [],
  expiresAfterMs: toMs(REVIEW_DEFAULTS.expires),
};

const Group = Type.String({
  pattern: '^[^\\s\\x00-\\x1f\\x7f]{1,255}$',
  description: 'a group as the Git host names it, such as acme/release-managers',
});
/** Numbers are what most hosts count people with; YAML has them without quotes. */
const Id = Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: '^[^\\s@\\x00-\\x1f\\x7f]{1,255}$' })], {
  description: "the id that the Git host has given a person (a name may be somebody else's tomorrow), such as 583231",
});

/** What a promotion says about who approves and who merges: to be spread into its schema. */
export const reviewProperties = {
  approval: Type.Optional(
    Type.Object(
      {
        quorum: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })),
        groups: Type.Optional(Type.Array(Group, { maxItems: 50, uniqueItems: true })),
        people: Type.Optional(Type.Array(Id, { maxItems: 100, uniqueItems: true })),
        authors: Type.Optional(
          Type.Union([Type.Literal('refuse'), Type.Literal('allow')], {
            description: 'whether authors may approve what they wrote: refuse (the default), or allow',
          }),
        ),
        bots: Type.Optional(Type.Array(Id, { maxItems: 50, uniqueItems: true })),
        expires: Type.Optional(Duration),
      },
      { additionalProperties: false },
    ),
  ),
  merge: Type.Optional(
    Type.Union([Type.Literal('lynceus'), Type.Literal('person'), Type.Literal('host')], {
      description: 'who merges what is approved: lynceus (the default), person, or host (auto-merge, a merge queue)',
    }),
  ),
  method: Type.Optional(
    Type.Union([Type.Literal('merge'), Type.Literal('squash'), Type.Literal('rebase')], {
      description: 'how it is merged: merge (the default), squash or rebase',
    }),
  ),
};

const File = Type.Object(reviewProperties);
type File = Static<typeof File>;

/** For a promotion that the schema has accepted. */
export function toMergePolicy({ approval, merge, method }: File): MergePolicy {
  return {
    ...(approval === undefined ? {} : { approval: toReviewPolicy(approval) }),
    ...(merge === undefined ? {} : { merge }),
    ...(method === undefined ? {} : { method }),
  };
}

function toReviewPolicy({
  quorum,
  groups,
  people,
  authors,
  bots,
  expires,
}: NonNullable<File['approval']>): ReviewPolicy {
  return {
    quorum: quorum ?? DEFAULT_REVIEWS.quorum,
    groups: groups ?? [],
    people: (people ?? []).map(String),
    authors: authors ?? DEFAULT_REVIEWS.authors,
    bots: (bots ?? []).map(String),
    expiresAfterMs: expires === undefined ? DEFAULT_REVIEWS.expiresAfterMs : toMs(expires),
  };
}

/** What no schema can say of `promotion.approval`. Works on any value. */
export function checkReviews(
  promotion: JsonObject,
  path: Path,
  report: (path: Path, message: string, key?: string) => void,
): void {
  const { approval } = promotion;
  if (!isJsonObject(approval)) return;
  const { quorum, groups, people, bots } = approval;
  const named = Array.isArray(people) && (!Array.isArray(groups) || groups.length === 0);
  const able = named ? people.length + (Array.isArray(bots) ? bots.length : 0) : Number.POSITIVE_INFINITY;
  if (typeof quorum === 'number' && named && people.length > 0 && quorum > able) {
    report(
      [...path, 'approval', 'quorum'],
      `asks for ${quorum} approvals, but only ${able} ${able === 1 ? 'is' : 'are'} named who can give one`,
    );
  }
}
