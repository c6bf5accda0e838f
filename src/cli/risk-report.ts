import { sayDuration } from '../base/duration.ts';
import type { RiskAssessment } from '../risk/assess.ts';
import type { Contribution, Unknown } from '../risk/score.ts';
import { oneLine, table } from './table.ts';

const HEAD = ['signal', 'seen', 'strength', 'weight', 'logit', 'points'];
/** Narrow enough for a terminal, a mail and a log. */
const MAX_COLUMNS = 80;

/** For people: the score, every contribution, what is missing, and what follows. */
export function textReport(found: RiskAssessment, columns: number): string {
  const width = Math.min(columns, MAX_COLUMNS);
  const { notAsked } = figuresOf(found);
  const lines = [
    ...unknownLines(found).map((line) => `not known: ${line}`),
    ...(notAsked.length === 0 ? [] : [`not asked for: ${notAsked.join(', ')}`]),
    ...followingLines(found),
  ];
  return [
    headline(found),
    '',
    table([HEAD, ...rowsOf(found)], width),
    '',
    ...lines.flatMap((line) => wrap(line, width)),
  ].join('\n');
}

/** For a pull request or a job summary. */
export function markdownReport(found: RiskAssessment): string {
  const row = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |`;
  const { notAsked } = figuresOf(found);
  return [
    `**${headline(found)}**`,
    '',
    row(HEAD),
    '|---|---|---:|---:|---:|---:|',
    ...rowsOf(found).map(row),
    '',
    ...[...unknownLines(found).map((line) => `Not known: ${line}`), ...followingLines(found)].map(
      (line) => `- ${escapeCell(line)}`,
    ),
    ...(notAsked.length === 0 ? [] : [`- Not asked for: ${notAsked.join(', ')}`]),
  ].join('\n');
}

/** For programs: all figures, and the answer. */
export function jsonReport({ answer, reasons, approval, soakMs, figures }: RiskAssessment): string {
  const demands = { ...(approval ? { approval } : {}), ...(soakMs === undefined ? {} : { soakMs }) };
  return JSON.stringify({ answer, ...demands, reasons, ...figures }, null, 2);
}

interface Figures {
  upTo: number;
  logit: number;
  coverage: number;
  base: { seen: string; logit: number; points: number };
  contributions: Contribution[];
  unknown: Unknown[];
  notAsked: string[];
  model: { id: string; origin: string; intercept: number };
}

function figuresOf({ figures }: Pick<RiskAssessment, 'figures'>): Figures {
  return figures as unknown as Figures;
}

function headline({ figures, score, level }: RiskAssessment): string {
  const { upTo, coverage, unknown } = figuresOf({ figures });
  const could = unknown.length === 0 ? '' : `, up to ${upTo.toFixed(1)} with what is not known`;
  return `risk ${score.toFixed(1)} of 100${could}: ${level}; ${Math.round(coverage * 100)} % of the weight known`;
}

function rowsOf(found: RiskAssessment): string[][] {
  const { base, contributions, logit, model } = figuresOf(found);
  const signals = contributions
    .toSorted((a, b) => Math.abs(b.logit) - Math.abs(a.logit))
    .map((one) => [
      one.signal,
      one.seen,
      one.strength.toFixed(3),
      one.weight.toFixed(2),
      signed(one.logit, 3),
      signed(one.points, 1),
    ]);
  const intercept =
    model.intercept === 0 ? [] : [['intercept', 'of the model', '', '', signed(model.intercept, 3), '']];
  return [
    ['history', base.seen, '', '', signed(base.logit, 3), base.points.toFixed(1)],
    ...intercept,
    ...signals,
    ['total', `model ${model.id}, ${model.origin}`, '', '', signed(logit, 3), found.score.toFixed(1)],
  ];
}

function unknownLines(found: RiskAssessment): string[] {
  return figuresOf(found).unknown.map(
    ({ signal, why, atMost }) => `${signal}, at most ${signed(atMost, 2)}: ${oneLine(why)}`,
  );
}

function followingLines({ answer, reasons, approval, soakMs }: RiskAssessment): string[] {
  const soak = soakMs === undefined ? [] : [`it must run for ${sayDuration(soakMs)} before it is promoted`];
  switch (answer) {
    case 'pass':
      return ['it may be deployed', ...soak];
    case 'needs-approval': {
      const quorum = approval?.quorum ?? 1;
      return [quorum === 1 ? 'a person must agree' : `${quorum} people must agree`, ...soak];
    }
    case 'deny':
      return [`denied: ${oneLine(reasons[0] ?? '')}`];
    case 'unknown':
      return [`could not be judged: ${oneLine(reasons[0] ?? '')}`];
  }
}

function signed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return value > 0 ? `+${text}` : text.replace(/^-(0(?:\.0+)?)$/, '$1');
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : `  ${word}`);
  }
  return lines;
}

function escapeCell(text: string): string {
  return oneLine(text).replace(/[\\|<>`*_[\]]/g, (character) => `\\${character}`);
}
