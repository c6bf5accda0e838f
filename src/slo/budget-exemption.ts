import type { CheckAnswer } from '../engine/check.ts';

/** Changes that a spent budget must not keep out: they are what brings it back. */
export const EXEMPT_KINDS = ['rollback', 'fix', 'security'] as const;
export type ExemptKind = (typeof EXEMPT_KINDS)[number];

export interface Exemption {
  kind: ExemptKind;
  /** Who or what says so, for the record. */
  by: string;
  /** We saw it ourselves; else it is what the change says of itself. */
  seen: boolean;
}

/** What is known of the commits of a change. */
export interface ChangeClaims {
  /** First lines of its commits' messages. */
  subjects: readonly string[];
  /** Whether these are all of its commits. */
  complete: boolean;
  /** The whole message of the commit that is delivered. */
  message: string;
  author: string;
}

const TRAILER = /^Lynceus-Exempt:[ \t]*([A-Za-z]+)[ \t]*$/i;
/** Conventional commits: `fix(cart): ...`, `security!: ...`. */
const PREFIX = /^(fix|security)(?:\([^()]*\))?!?:\s/i;
/** Merges say nothing of their own. */
const MERGE = /^Merge\b/;
/** As `git revert` words it. */
const REVERT = /^Revert "/;

/**
 * What a change claims of itself: a trailer `Lynceus-Exempt: security` in the last paragraph of the
 * delivered commit's message speaks for all of it; prefixes (`fix:`, `security:`) only when every commit
 * has one, so that a feature cannot ride along with a fix.
 */
export function claimedExemption(claims: ChangeClaims, allowed: readonly ExemptKind[]): Exemption | undefined {
  const trailer = trailerOf(claims.message);
  const kind = allowed.find((each) => each === trailer);
  if (kind !== undefined) return { kind, by: `trailer of ${claims.author}'s commit`, seen: false };
  const own = claims.subjects.filter((subject) => !MERGE.test(subject));
  const several = own.length === 1 ? 'its commit' : `all ${own.length} commits`;
  if (claims.complete && own.length > 0 && allowed.includes('rollback') && own.every((subject) => REVERT.test(subject)))
    return { kind: 'rollback', by: `the word of ${several}: Revert`, seen: false };
  const prefixes = own.map((subject) => PREFIX.exec(subject)?.[1]?.toLowerCase());
  if (!claims.complete || own.length === 0 || prefixes.includes(undefined)) return undefined;
  const claimed = prefixes.every((prefix) => prefix === 'security') ? 'security' : 'fix';
  if (!allowed.includes(claimed)) return undefined;
  return {
    kind: claimed,
    by: `the prefix of ${several}`,
    seen: false,
  };
}

function trailerOf(message: string): string | undefined {
  const paragraphs = message
    .replaceAll('\r\n', '\n')
    .trimEnd()
    .split(/\n[ \t]*\n/);
  if (paragraphs.length < 2) return undefined;
  const values = (paragraphs.at(-1) ?? '').split('\n').flatMap((line) => TRAILER.exec(line)?.[1]?.toLowerCase() ?? []);
  return values.length === 1 ? values[0] : undefined;
}

/**
 * Lets an exempt change through: a rollback that we saw ourselves passes where it was denied; what only
 * a commit says of itself goes to a person. What could not be judged goes to a person as well: it never
 * becomes a pass. The reasons of the denial stay in the evidence.
 */
export function exempt(answer: CheckAnswer, exemption: Exemption): CheckAnswer {
  if (answer.answer !== 'deny' && answer.answer !== 'unknown') return answer;
  const { askAgainAt: _, ...rest } = answer;
  const passes = answer.answer === 'deny' && exemption.seen;
  const then = passes ? 'passes' : 'needs a person to agree';
  return {
    ...rest,
    answer: passes ? 'pass' : 'needs-approval',
    reasons: [`exempt as ${nameOf(exemption.kind)} (${exemption.by}), so it ${then}`, ...answer.reasons],
    figures: { ...answer.figures, exemption: { ...exemption, insteadOf: answer.answer } },
  };
}

function nameOf(kind: ExemptKind): string {
  return kind === 'security' ? 'a security change' : `a ${kind}`;
}
