import { row } from '../markdown.ts';
import type { PromotionEvidence } from '../promotion.ts';
import { lasting, moment, more, name, score } from './words.ts';

const MAX_PEOPLE = 3;

/** How the change came through the stages before, and who let it through. */
export function storySection({ story = [] }: PromotionEvidence, rows: number): string[] {
  if (story.length === 0) return [];
  const shown = story.slice(-Math.max(rows, 1));
  return [
    '## The way here',
    '',
    row('Stage', 'Verdict', 'Began', 'Took', 'Let through by'),
    row('---', '---', '---', '---', '---'),
    ...shown.map((entry) =>
      row(
        name(entry.stage),
        `${name(entry.result)}${entry.score === undefined ? '' : ` ${score(entry.score)}/100`}`,
        moment(entry.startedAt),
        entry.endedAt === undefined ? 'under way' : lasting(Date.parse(entry.endedAt) - Date.parse(entry.startedAt)),
        people(entry.approvedBy),
      ),
    ),
    ...more(story.length - shown.length, 'stage', true),
  ];
}

function people(names: readonly string[]): string {
  if (names.length === 0) return 'policy';
  const shown = names.slice(0, MAX_PEOPLE).map(name).join(', ');
  return names.length > MAX_PEOPLE ? `${shown} and ${names.length - MAX_PEOPLE} more` : shown;
}
