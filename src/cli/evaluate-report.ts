import { evaluationSection } from '../promotion/description/evaluation.ts';
import { inline } from '../promotion/markdown.ts';
import type { Evaluation, IndicatorResult } from '../slo/evaluation.ts';
import type { Period } from './evaluate-period.ts';
import { oneLine, table, wrap } from './table.ts';

/** An evaluation with what it is about. */
export interface EvaluationReport extends Evaluation {
  project?: string;
  stage?: string;
  service?: string;
  labels?: Record<string, string>;
  period?: Period;
}

/** Narrow enough for a log and a mail; a terminal may be wider. */
const LOG_COLUMNS = 80;
const MAX_ROWS = 100;
const COLOURS = { pass: 32, warning: 33, fail: 31 } as const;
const HEAD = ['OBJECTIVE', 'VALUE', 'BEFORE', 'CRITERIA', 'RESULT'] as const;

/** For people at a terminal or in a log: the verdict, a table, and why a number is missing. */
export function textReport(report: EvaluationReport, columns: number, colours: boolean): string {
  const width = colours ? columns : Math.min(columns, LOG_COLUMNS);
  const verdict = report.judged === false ? 'COULD NOT BE JUDGED' : report.result.toUpperCase();
  const painted = colours ? `\u001b[1;${COLOURS[report.result]}m${verdict}\u001b[0m` : verdict;
  const missing = report.indicators.filter(({ message }) => message !== undefined);
  const lines = [
    `${painted}  ${headline(report)}`,
    ...wrap(oneLine(report.message), width),
    ...(report.indicators.length === 0 ? [] : ['', table([HEAD, ...report.indicators.map(toRow)], width)]),
    ...(missing.length === 0
      ? []
      : ['', ...missing.flatMap((one) => wrap(oneLine(`${one.displayName}: ${one.message}`), width))]),
  ];
  return lines.join('\n');
}

/** For a pull request's comment; nothing foreign in it can notify, link or break out. */
export function markdownReport(report: EvaluationReport): string {
  const [, , verdict = '', ...rest] = evaluationSection(report, MAX_ROWS);
  const about = placeOf(report)
    .map((part) => inline(part, 80))
    .join(' / ');
  const note = report.judged === false ? ['', '> **It could not be judged: data is missing.**'] : [];
  const period = report.period === undefined ? [] : ['', `Period: ${report.period.start} to ${report.period.end}`];
  return [`## Evaluation${about === '' ? '' : `: ${about}`}`, '', verdict, ...note, ...rest, ...period].join('\n');
}

/** For a CI's test view: a case for each objective; what has no number is an error, not a failure. */
export function junitReport(report: EvaluationReport): string {
  const cases =
    report.indicators.length === 0 ? [verdictCase(report)] : report.indicators.map((one) => toCase(one, report));
  const count = (tag: string) => cases.filter((each) => each.includes(`<${tag} `)).length;
  const name = ['slo', ...placeOf(report)].join('.');
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="lynceus" ${counts}>`,
    `  <testsuite name="${xml(name)}" ${counts}>`,
    '    <properties>',
    ...Object.entries({ result: report.result, score: report.score, message: report.message }).map(
      ([key, value]) => `      <property name="${key}" value="${xml(String(value))}"/>`,
    ),
    '    </properties>',
    ...cases,
    '  </testsuite>',
    '</testsuites>',
  ].join('\n');
}

function headline({ score, thresholds, compared, period }: EvaluationReport): string {
  const { pass, warning } = thresholds;
  const limits = `pass from ${pass}${warning === undefined ? '' : `, warning from ${warning}`}`;
  const before = compared.length === 0 ? '' : `; compared with ${compared.length} earlier`;
  const when = period === undefined ? '' : `\n${period.start} to ${period.end}`;
  return `score ${Math.floor(score * 100) / 100} of 100 (${limits}${before})${when}`;
}

function toRow(one: IndicatorResult): string[] {
  const criteria = one.passTargets.map((target) => `${target.criteria}${target.violated ? ' missed' : ''}`);
  const control = one.control === undefined ? [] : [`control: ${one.control.classification}`];
  const name = `${one.displayName}${one.keySli ? ' (key)' : ''}`;
  const points = one.status === 'info' ? 'info' : `${one.status} ${short(one.score)}/${short(one.weight)}`;
  return [name, sayValue(one), sayBefore(one), [...criteria, ...control].join(', '), points];
}

function sayValue({ value, unit }: IndicatorResult): string {
  return value === undefined ? 'none' : `${short(value)}${unit === undefined ? '' : ` ${unit}`}`;
}

function sayBefore({ comparedValue, regression }: IndicatorResult): string {
  return comparedValue === undefined ? '' : `${short(comparedValue)}${regression ? ' worse' : ''}`;
}

function verdictCase({ result, message, judged }: EvaluationReport): string {
  const name = '    <testcase classname="slo" name="evaluation"';
  if (result !== 'fail') return `${name}/>`;
  const tag = judged === false ? 'error' : 'failure';
  return `${name}><${tag} message="${xml(message)}"/></testcase>`;
}

function toCase(one: IndicatorResult, { result }: EvaluationReport): string {
  const start = `    <testcase classname="slo.${xml(one.sli)}" name="${xml(one.displayName)}"`;
  const said = xml(sayCase(one));
  if (one.status === 'info')
    return `${start}><skipped message="${xml(one.message ?? 'for information only')}"/></testcase>`;
  if (one.status === 'fail') {
    const tag = one.value === undefined || one.control?.classification === 'Nodata' ? 'error' : 'failure';
    return `${start}><${tag} message="${said}"/></testcase>`;
  }
  // A row of warnings can fail an evaluation: then it must not look green.
  if (one.status === 'warning' && result === 'fail') return `${start}><failure message="${said}"/></testcase>`;
  return one.status === 'warning' ? `${start}><system-out>${said}</system-out></testcase>` : `${start}/>`;
}

function sayCase(one: IndicatorResult): string {
  if (one.message !== undefined) return `no value: ${one.message}`;
  const missed = one.passTargets.filter(({ violated }) => violated).map(({ criteria }) => criteria);
  const reasons = [
    ...(missed.length === 0 ? [] : [`must be ${missed.join(' and ')}`]),
    ...(one.control ? [one.control.reason] : []),
  ];
  return `${sayValue(one)}: ${reasons.join('; ')}`;
}

function placeOf({ project, stage, service }: EvaluationReport): string[] {
  return [project, stage, service].filter((part): part is string => part !== undefined && part !== '');
}

function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : 'no number';
}

/** As an attribute or a text of XML 1.0, which has no control characters. */
function xml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return oneLine(text.toWellFormed())
    .replace(/[\uFFFE\uFFFF]/g, '')
    .replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
