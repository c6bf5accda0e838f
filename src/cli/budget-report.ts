import { sayDuration } from '../base/duration.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { BudgetAnswer } from '../slo/budget-policy.ts';
import { asJson } from './changes.ts';
import { oneLine, table, wrap } from './table.ts';

/** Narrow enough for a terminal, a mail and a log. */
const MAX_COLUMNS = 80;
const HEAD = ['objective', 'target', 'window', 'left', 'bucket', 'lasts'];
const WORDS: Readonly<Record<BudgetAnswer['answer'], string>> = {
  pass: 'may be deployed',
  deny: 'denied',
  'needs-approval': 'a person must agree',
  unknown: 'could not be judged',
};

/** For people: what is left of each budget, how fast it burns, and what follows. */
export function textReport(found: BudgetAnswer, columns: number): string {
  const width = Math.min(columns, MAX_COLUMNS);
  const burns = burnRows(found);
  return [
    `error budget: ${WORDS[found.answer]}`,
    '',
    table([HEAD, ...budgetsOf(found).map(budgetRow)], width),
    ...(burns.length > 1 ? ['', table(burns, width)] : []),
    '',
    ...sentences(found).flatMap((line) =>
      wrap(oneLine(line), width - 2).map((part, at) => (at === 0 ? part : `  ${part}`)),
    ),
  ].join('\n');
}

/** For a pull request or a job summary. */
export function markdownReport(found: BudgetAnswer): string {
  const row = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |`;
  const rows = (all: readonly (readonly string[])[]) =>
    all.flatMap((cells, at) => (at === 0 ? [row(cells), `|${cells.map(() => '---|').join('')}`] : [row(cells)]));
  const burns = burnRows(found);
  return [
    `**error budget: ${WORDS[found.answer]}**`,
    '',
    ...rows([HEAD, ...budgetsOf(found).map(budgetRow)]),
    ...(burns.length > 1 ? ['', ...rows(burns)] : []),
    '',
    ...sentences(found).map((line) => `- ${escapeCell(line)}`),
  ].join('\n');
}

/** For programs: all figures, and the answer. */
export function jsonReport({ answer, reasons, figures }: BudgetAnswer): string {
  return asJson({ answer, reasons, ...figures });
}

function budgetsOf({ figures }: BudgetAnswer): JsonObject[] {
  const { objectives } = figures;
  return Array.isArray(objectives) ? objectives.filter(isJsonObject) : [figures];
}

function budgetRow(figures: JsonObject): string[] {
  return [
    text(figures['objective']) || 'the service',
    percent(figures['target']),
    duration(figures['windowMs']),
    percent(figures['remaining']),
    text(figures['bucket']) || 'unknown',
    duration(figures['exhaustedInMs']),
  ];
}

function burnRows(found: BudgetAnswer): string[][] {
  const burns = budgetsOf(found).flatMap((figures) => {
    const rates = figures['burnRates'];
    return Array.isArray(rates) ? rates.filter(isJsonObject).map((burn) => ({ figures, burn })) : [];
  });
  const rows = burns.map(({ figures, burn }) => {
    const [rate, windowMs, whole] = [burn['rate'], burn['windowMs'], figures['windowMs']].map(Number) as [
      number,
      number,
      number,
    ];
    return [
      text(figures['objective']) || 'the service',
      duration(windowMs),
      rate.toFixed(2),
      // What it took of the budget in that time.
      percent((rate * windowMs) / whole),
      burn['events'] === undefined ? '' : String(Math.round(Number(burn['events']))),
    ];
  });
  return [['objective', 'over', 'burn', 'took', 'events'], ...rows];
}

function sentences({ reasons, figures }: BudgetAnswer): string[] {
  const methods = new Set(budgetsOf({ figures } as BudgetAnswer).map((each) => text(each['method'])));
  const notes = Array.isArray(figures['notes']) ? figures['notes'].map(String) : [];
  return [`counted by: ${[...methods].join('; ')}`, ...reasons, ...notes.map((note) => `note: ${note}`)];
}

function percent(share: unknown): string {
  return typeof share === 'number' && Number.isFinite(share) ? `${Number((share * 100).toPrecision(5))} %` : '-';
}

function duration(ms: unknown): string {
  return typeof ms === 'number' && ms > 0 ? sayDuration(ms) : '-';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function escapeCell(cell: string): string {
  return oneLine(cell).replace(/[\\|<>`*_[\]]/g, (character) => `\\${character}`);
}
