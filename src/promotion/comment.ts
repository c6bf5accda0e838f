import type { ApprovalJudgement } from './approval.ts';
import { MAX_NAME, MAX_REASON, moment, name } from './description/words.ts';
import { firstClosed, type PromotionGate } from './gate.ts';
import { inline, link, row } from './markdown.ts';

/** Our one comment about how it stands begins with this. */
export const STATE_MARKER = '<!-- lynceus:promotion -->';

/** How a promotion stands, as far as it is worth a comment. */
export type PromotionStanding =
  | {
      kind: 'open';
      gates: readonly PromotionGate[];
      approval: ApprovalJudgement;
      merge: 'lynceus' | 'person' | 'host';
      /** What it waits for in one line, and who unblocks it; absent: nothing. */
      answers?: { text: string; who: string };
    }
  | { kind: 'merged'; message: string }
  /** `by`: the newer one that took its place. */
  | { kind: 'superseded'; by?: { number?: number; url?: string } }
  | { kind: 'closed'; message: string };

const MARKS = { success: '✅', pending: '⏳', failure: '❌' } as const;
const TITLES: Readonly<Record<string, string>> = {
  'stop-the-line': 'Line',
  hold: 'Hold',
  verification: 'Verification',
  conflict: 'Conflicts',
  windows: 'Deployment windows',
  queue: 'Queue',
  stages: 'Stages before',
};
const MAX_IGNORED = 5;

/**
 * The comment that follows a promotion while it is open, and says what became of it. It holds nothing that changes with
 * time alone: the same standing is the same text.
 */
export function stateComment(standing: PromotionStanding, page: string | undefined): string {
  const lines = standing.kind === 'open' ? openLines(standing) : endLines(standing);
  const where = page === undefined ? [] : ['', link('Follow this change', page)];
  return [STATE_MARKER, ...lines, ...where].join('\n');
}

/** What an open promotion waits for, in one sentence; `undefined`: nothing. */
export function waitsFor(
  gates: readonly PromotionGate[],
  approval: ApprovalJudgement,
): { sentence: string; state: 'pending' | 'failure'; until?: string } | undefined {
  const closed = firstClosed(gates);
  if (closed && closed.state !== 'success') {
    const { sentence, state, until } = closed;
    return { sentence, state, ...(until === undefined ? {} : { until }) };
  }
  if (approval.verdict === 'approved') return undefined;
  return { sentence: approval.sentence, state: approval.verdict === 'rejected' ? 'failure' : 'pending' };
}

function openLines({ gates, approval, merge, answers }: Extract<PromotionStanding, { kind: 'open' }>): string[] {
  const waiting = waitsFor(gates, approval);
  const head = waiting
    ? `**${waiting.state === 'failure' ? 'Stopped' : 'Waiting'}:** ${inline(waiting.sentence, MAX_REASON)}`
    : `**Ready:** ${READY[merge]}`;
  const who =
    waiting && answers !== undefined && answers.who !== '' ? ['', `**Who:** ${inline(answers.who, MAX_REASON)}`] : [];
  return [
    head,
    ...who,
    '',
    row('', 'What', 'How it stands'),
    row('---', '---', '---'),
    ...gates.map((gate) => row(MARKS[gate.state], TITLES[gate.name] ?? inline(gate.name, MAX_NAME), sayGate(gate))),
    row(MARKS[APPROVAL[approval.verdict]], 'Approval', inline(approval.sentence, MAX_REASON)),
    ...ignored(approval),
  ];
}

const READY = {
  lynceus: 'everything is met, and it is about to be merged.',
  person: 'everything is met; a person merges it.',
  host: 'everything is met; the Git host merges it when its own rules allow.',
} as const;
const APPROVAL = { approved: 'success', waiting: 'pending', rejected: 'failure' } as const;

function sayGate({ sentence, until }: PromotionGate): string {
  const opens = until === undefined ? '' : `; opens at ${moment(until)}`;
  return `${inline(sentence, MAX_REASON)}${sentence.includes('opens') ? '' : opens}`;
}

/** Whoever approved and is not counted would wait for nothing. */
function ignored({ ignored: reviews }: ApprovalJudgement): string[] {
  if (reviews.length === 0) return [];
  const shown = reviews.slice(0, MAX_IGNORED);
  const rest = reviews.length - shown.length;
  return [
    '',
    'Reviews that do not count:',
    '',
    ...shown.map(({ by, why }) => `- ${name(by)} ${inline(why, MAX_REASON)}`),
    ...(rest > 0 ? [`- and ${rest} more`] : []),
  ];
}

function endLines(standing: Exclude<PromotionStanding, { kind: 'open' }>): string[] {
  if (standing.kind === 'merged') return [`**Merged:** ${inline(standing.message, MAX_REASON)}.`];
  if (standing.kind === 'closed') return [`**Closed:** ${inline(standing.message, MAX_REASON)}.`];
  return [`**Superseded** by ${sayNewer(standing.by)}: a newer change goes to the stage instead.`];
}

function sayNewer(by: { number?: number; url?: string } | undefined): string {
  const text = by?.number === undefined ? 'a newer pull request' : `pull request ${by.number}`;
  return by?.url === undefined ? text : link(text, by.url);
}
