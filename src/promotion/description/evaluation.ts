import type { Evaluation, IndicatorResult } from '../../slo/evaluation.ts';
import { inline, row } from '../markdown.ts';
import { folded, MAX_LINE, MAX_NAME, more, number, score } from './words.ts';

/** A longer table is folded; what was not met stands above it anyhow. */
const UNFOLDED = 8;

/** The verdict with a table of its indicators; at most so many rows. */
export function evaluationSection(found: Evaluation | undefined, rows: number): string[] {
  const head = ['## Evaluation', ''];
  if (found === undefined) return [...head, 'There was none: no service level objectives are defined for this stage.'];
  const { pass, warning } = found.thresholds;
  const limits = `pass from ${number(pass)}${warning === undefined ? '' : `, warning from ${number(warning)}`}`;
  const compared = found.compared.length === 0 ? '' : `; compared with ${found.compared.length} earlier`;
  const shown = worstFirst(found.indicators).slice(0, rows);
  const table = [
    row('Indicator', 'Value', 'Compared with', 'Criteria', 'Points'),
    row('---', '---:', '---:', '---', '---:'),
    ...shown.map(indicator),
    ...more(found.indicators.length - shown.length, 'indicator', true),
  ];
  return [
    ...head,
    `**${found.result} ${score(found.score)}/100** (${limits}${compared}). ${inline(found.message, MAX_LINE)}`,
    '',
    ...(shown.length > UNFOLDED ? folded(`All ${found.indicators.length} indicators`, table) : table),
  ];
}

const ORDER: Readonly<Record<string, number>> = { fail: 0, warning: 1, pass: 2, info: 3 };

/** Where not all of them are shown, those that speak against it are. */
function worstFirst(indicators: readonly IndicatorResult[]): IndicatorResult[] {
  return [...indicators].sort(
    (a, b) => (ORDER[a.status] ?? 0) - (ORDER[b.status] ?? 0) || Number(b.keySli) - Number(a.keySli),
  );
}

function indicator(result: IndicatorResult): string {
  const key = result.keySli ? ' **(key)**' : '';
  const value = result.value === undefined ? inline(result.message ?? 'none', MAX_NAME) : sayValue(result);
  const points =
    result.status === 'info' ? 'for information' : `${result.status} ${number(result.score)}/${number(result.weight)}`;
  return row(
    `${inline(result.displayName || result.sli, MAX_NAME)}${key}`,
    value,
    sayBefore(result),
    [...targetsOf(result), ...controlOf(result)].join(', '),
    points,
  );
}

/** With the parts it was put together from: a sum that is too high is somebody's. */
function sayValue({ value = Number.NaN, unit, sources = [] }: IndicatorResult): string {
  const parts = sources.slice(0, 5).map((one) => `${inline(one.provider ?? 'source', 40)} ${number(one.value)}`);
  const rest = sources.length > parts.length ? [`and ${sources.length - parts.length} more`] : [];
  const detail = parts.length === 0 ? '' : ` (${[...parts, ...rest].join(', ')})`;
  return `${number(value)}${unit === undefined ? '' : ` ${inline(unit, 20)}`}${detail}`;
}

function sayBefore({ comparedValue, change, regression }: IndicatorResult): string {
  if (comparedValue === undefined) return '';
  if (change === undefined || change === 0) return number(comparedValue);
  const difference = ` (${change > 0 ? '+' : ''}${number(change)}${regression ? ', worse' : ''})`;
  return `${number(comparedValue)}${difference}`;
}

function targetsOf({ passTargets }: IndicatorResult): string[] {
  return passTargets.slice(0, 5).map(({ criteria, targetValue, violated }) => {
    const met = violated ? ' missed' : '';
    return `${inline(criteria, 40)} (${number(targetValue)})${met}`;
  });
}

function controlOf({ control }: IndicatorResult): string[] {
  if (control === undefined) return [];
  return [`${control.classification} against the control group: ${inline(control.reason, MAX_LINE)}`];
}
