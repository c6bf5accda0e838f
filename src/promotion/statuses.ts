import { type PromotionStanding, waitsFor } from './comment.ts';
import type { CommitStatus } from './people.ts';

/**
 * A mark is on a commit, and several pull requests may have one commit as their head: of the regions that it goes to at
 * once, and of the stages that it goes through. What is true of one stage must not be green for another.
 */
export function markName(gate: string, stage: string): string {
  return `lynceus/${gate}/${stage}`;
}

/** The one mark that a branch protection may ask for. */
export function promotionMark(stage: string): string {
  return markName('promotion', stage);
}

const MAX_DESCRIPTION = 140;
/** Worth a mark of their own all the time; the others only once they have been closed. */
const ALWAYS: ReadonlySet<string> = new Set(['verification', 'windows']);

/**
 * The marks of a promotion's head: one per gate, one for the approval, and one for all of it. What nobody waits for has
 * none, until it was closed once: a mark is a call to the host.
 *
 * @param marked names that the head carries already
 */
export function statusesOf(
  standing: PromotionStanding,
  { toStage, url, marked }: { toStage: string; url: string | undefined; marked: ReadonlySet<string> },
): CommitStatus[] {
  const isMarked = (gate: string) => marked.has(markName(gate, toStage));
  const all = standing.kind === 'open' ? openStatuses(standing, isMarked) : [endStatus(standing)];
  return all.map(({ name, state, description }) => ({
    name: markName(name, toStage),
    state,
    description: cut(description),
    ...(url === undefined ? {} : { url }),
  }));
}

/** The labels of its pull request, out of those that are ours to give. */
export function labelsOf(
  standing: PromotionStanding,
  { toStage, verdict }: { toStage: string; verdict: 'pass' | 'warning' },
): { add: string[]; remove: string[] } {
  const held =
    standing.kind === 'open' && standing.gates.some(({ name, state }) => name === 'hold' && state !== 'success');
  const wanted: Record<string, boolean> = {
    lynceus: true,
    [`stage: ${toStage}`]: true,
    warning: verdict === 'warning',
    hold: held,
    superseded: standing.kind === 'superseded',
  };
  const named = (on: boolean) => Object.keys(wanted).filter((label) => wanted[label] === on);
  return { add: named(true), remove: named(false) };
}

function openStatuses(
  { gates, approval, answers }: Extract<PromotionStanding, { kind: 'open' }>,
  isMarked: (gate: string) => boolean,
): CommitStatus[] {
  const shown = gates.filter(({ name, state }) => state !== 'success' || ALWAYS.has(name) || isMarked(name));
  const approved = approval.verdict === 'approved';
  const waiting = waitsFor(gates, approval);
  return [
    ...shown.map(({ name, state, sentence }) => ({ name, state, description: sentence })),
    {
      name: 'approval',
      state: approved ? 'success' : approval.verdict === 'rejected' ? 'failure' : 'pending',
      description: approval.sentence,
    },
    waiting
      ? { name: 'promotion', state: waiting.state, description: answers?.text ?? waiting.sentence }
      : { name: 'promotion', state: 'success', description: 'everything is met' },
  ];
}

function endStatus(standing: Exclude<PromotionStanding, { kind: 'open' }>): CommitStatus {
  if (standing.kind === 'merged') return { name: 'promotion', state: 'success', description: standing.message };
  const description = standing.kind === 'closed' ? standing.message : 'a newer change took its place';
  return { name: 'promotion', state: 'failure', description };
}

function cut(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const characters = [...line.toWellFormed()];
  return characters.length <= MAX_DESCRIPTION
    ? characters.join('')
    : `${characters.slice(0, MAX_DESCRIPTION - 1).join('')}…`;
}
