import { isJsonObject, type Json } from '../../base/json.ts';
import type { CheckAnswer } from '../../engine/check.ts';
import { inline, row } from '../markdown.ts';
import type { PromotionEvidence } from '../promotion.ts';
import { MAX_LINE, MAX_NAME, MAX_REASON, more, number, sayAnswer, sign } from './words.ts';

/** What one kind of check said, with its reasons; nothing where it was not asked. */
export function checkSection(
  title: string,
  all: readonly CheckAnswer[],
  kind: CheckAnswer['check'],
  rows: number,
): string[] {
  const found = all.filter(({ check }) => check === kind);
  if (found.length === 0) return [];
  return [
    `## ${title}`,
    '',
    ...found.slice(0, 5).flatMap((answer, at) => [...(at === 0 ? [] : ['']), ...checkLines(answer, rows)]),
  ];
}

function checkLines(answer: CheckAnswer, rows: number): string[] {
  const reasons = answer.reasons.slice(0, Math.max(rows, 1)).map((reason) => `- ${inline(reason, MAX_REASON)}`);
  return [`**${sayAnswer(answer.answer)}**`, '', ...reasons, ...more(answer.reasons.length - reasons.length, 'reason')];
}

/** The estimated risk with what it is made of. */
export function riskSection(all: readonly CheckAnswer[], rows: number): string[] {
  const answer = all.find(({ check }) => check === 'risk');
  if (answer === undefined) return [];
  const contributions = contributionsIn(answer.figures['contributions']);
  const lines = ['## Risk', '', `**${sayAnswer(answer.answer)}** ${inline(answer.reasons[0] ?? '', MAX_REASON)}`];
  if (contributions.length === 0)
    return [...lines, '', ...checkLines({ ...answer, reasons: answer.reasons.slice(1) }, rows).slice(2)];
  const shown = contributions.slice(0, rows);
  return [
    ...lines,
    '',
    row('Signal', 'Seen', 'Points'),
    row('---', '---', '---:'),
    ...shown.map(({ signal, seen, points }) => row(inline(signal, MAX_NAME), inline(seen, MAX_LINE), sign(points))),
    ...more(contributions.length - shown.length, 'signal', true),
  ];
}

/** The strongest first, and none that changed nothing; what is not built as expected is left out, the reasons tell it too. */
function contributionsIn(value: Json | undefined): { signal: string; seen: string; points: number }[] {
  if (!Array.isArray(value)) return [];
  const found = value
    .filter(isJsonObject)
    .flatMap(({ signal, seen, points }) =>
      typeof signal === 'string' && typeof points === 'number' && Math.abs(points) >= 0.05
        ? [{ signal, seen: typeof seen === 'string' ? seen : '', points }]
        : [],
    );
  return found.sort((a, b) => Math.abs(b.points) - Math.abs(a.points));
}

/** What the tests after the deployment found. */
export function testSection(all: PromotionEvidence['tests'], rows: number): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, Math.min(rows, 20));
  return [
    '## Tests',
    '',
    ...shown.flatMap((test) => testLines(test, rows)),
    ...more(all.length - shown.length, 'test'),
  ];
}

function testLines({ kind, passed, failures, indicators }: PromotionEvidence['tests'][number], rows: number): string[] {
  const figures = Object.entries(indicators)
    .slice(0, 12)
    .map(([key, value]) => `${inline(key, MAX_NAME)} ${number(value)}`);
  const shown = failures.slice(0, Math.min(rows, 10));
  return [
    `- **${inline(kind, MAX_NAME)}** ${passed ? 'passed' : 'failed'}${figures.length === 0 ? '' : `: ${figures.join(', ')}`}`,
    ...shown.map((failure) => `  - ${inline(failure, MAX_LINE)}`),
    ...(failures.length > shown.length ? [`  - and ${failures.length - shown.length} more`] : []),
  ];
}
