import { isJsonObject, type Json } from '../base/json.ts';
import type { CheckAnswer } from '../engine/check.ts';
import type { Evaluation, IndicatorResult } from '../slo/evaluation.ts';
import { promotionBranches } from './branches.ts';
import { inline, link, plain, row } from './markdown.ts';
import type { PromotionEvidence } from './promotion.ts';
import { type PromotionIdentity, trailersOf } from './trailers.ts';

export { refPart } from './branches.ts';

/** GitHub takes 65,536 characters; the rest is for what people add. */
export const MAX_BODY_BYTES = 60_000;
/** How many rows a list may have; the first number with which everything fits is taken. */
const DETAIL = [50, 20, 8, 3, 0];
const MAX_NAME = 80;
const MAX_LINE = 160;

export interface PromotionPlan {
  headBranch: string;
  /** What all promotions of this service to this stage begin with: older ones are found by it. */
  headPrefix: string;
  title: string;
  /** Markdown, ends with the trailers. */
  body: string;
  trailers: string[];
}

/** Turns evidence into the pull request that carries it. `previous` is the one that it takes the place of. */
export function planPromotion(evidence: PromotionEvidence, previous?: { number: number }): PromotionPlan {
  return {
    ...promotionBranches(evidence),
    title: `${subjectOf(evidence)}: ${sayVerdict(evidence)}`,
    body: bodyOf(evidence, previous),
    trailers: trailersOf(evidence),
  };
}

/** The message of the merge commit: what it is, and by whose evidence. */
export function mergeMessage(identity: PromotionIdentity, number: number): string {
  const why = `It was verified in ${plain(identity.fromStage, MAX_NAME)}; the evidence is in the pull request.`;
  return `${subjectOf(identity)} (#${number})\n\n${why}\n\n${trailersOf(identity).join('\n')}\n`;
}

function bodyOf(evidence: PromotionEvidence, previous: { number: number } | undefined): string {
  let text = '';
  for (const rows of DETAIL) {
    const sections = [
      summary(evidence, previous),
      changes(evidence, rows),
      evaluationSection(evidence.evaluation, rows),
      checks('Error budget', evidence.checks, 'error-budget', rows),
      risk(evidence.checks, rows),
      checks('Deployment windows', evidence.checks, 'window', rows),
      tests(evidence.tests, rows),
      ending(evidence),
      trailersOf(evidence),
    ];
    text = sections
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join('\n'))
      .join('\n\n');
    if (utf8Length(text) <= MAX_BODY_BYTES) break;
  }
  return text;
}

function summary(evidence: PromotionEvidence, previous: { number: number } | undefined): string[] {
  const { service, revision, fromStage, toStage, link: page } = evidence;
  const sentence = `**${name(service)}** \`${hex(revision)}\` was verified in **${name(fromStage)}** (${sayVerdict(evidence)}) and is ready for **${name(toStage)}**.`;
  const { override } = evidence;
  const broken = override
    ? ['', `> **Let through** by ${name(override.actor)}, past checks and approval: ${inline(override.reason, 240)}`]
    : [];
  const warning =
    evidence.verdict === 'warning' ? ['', '> **Warning:** not every objective was met; a person should look.'] : [];
  const replaces = previous === undefined ? [] : ['', `It takes the place of pull request ${previous.number}.`];
  const where = page === undefined ? [] : ['', link('Follow this change', page)];
  return [sentence, ...broken, ...warning, ...replaces, ...where];
}

function changes({ commits, totalCommits, fromStage, toStage }: PromotionEvidence, rows: number): string[] {
  const total = Math.max(totalCommits, commits.length);
  const shown = commits.slice(0, rows);
  const lines = shown.map(
    ({ sha, subject, author }) => `- \`${hex(sha)}\` ${inline(subject, MAX_LINE)} (${inline(author, MAX_NAME)})`,
  );
  const head = ['## What is promoted', ''];
  if (total === 0) return [...head, `No commits are listed between ${name(toStage)} and ${name(fromStage)}.`];
  return [...head, ...lines, ...more(total - shown.length, 'commit')];
}

/** The verdict with a table of its indicators; at most so many rows. */
export function evaluationSection(found: Evaluation | undefined, rows: number): string[] {
  const head = ['## Evaluation', ''];
  if (found === undefined) return [...head, 'There was none: no service level objectives are defined for this stage.'];
  const shown = found.indicators.slice(0, rows);
  const { pass, warning } = found.thresholds;
  const limits = `pass from ${number(pass)}${warning === undefined ? '' : `, warning from ${number(warning)}`}`;
  const compared = found.compared.length === 0 ? '' : `; compared with ${found.compared.length} earlier`;
  return [
    ...head,
    `**${found.result} ${score(found.score)}/100** (${limits}${compared}). ${inline(found.message, MAX_LINE)}`,
    '',
    row('Indicator', 'Value', 'Compared with', 'Criteria', 'Points'),
    row('---', '---:', '---:', '---', '---:'),
    ...shown.map(indicator),
    ...more(found.indicators.length - shown.length, 'indicator', true),
  ];
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
  const more = sources.length > parts.length ? [`and ${sources.length - parts.length} more`] : [];
  const detail = parts.length === 0 ? '' : ` (${[...parts, ...more].join(', ')})`;
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

function checks(title: string, all: readonly CheckAnswer[], kind: CheckAnswer['check'], rows: number): string[] {
  const found = all.filter(({ check }) => check === kind);
  if (found.length === 0) return [];
  return [
    `## ${title}`,
    '',
    ...found.slice(0, 5).flatMap((answer, at) => [...(at === 0 ? [] : ['']), ...checkLines(answer, rows)]),
  ];
}

function checkLines(answer: CheckAnswer, rows: number): string[] {
  const reasons = answer.reasons.slice(0, Math.max(rows, 1)).map((reason) => `- ${inline(reason, 240)}`);
  return [`**${sayAnswer(answer.answer)}**`, '', ...reasons, ...more(answer.reasons.length - reasons.length, 'reason')];
}

function risk(all: readonly CheckAnswer[], rows: number): string[] {
  const answer = all.find(({ check }) => check === 'risk');
  if (answer === undefined) return [];
  const contributions = contributionsIn(answer.figures['contributions']);
  const lines = ['## Risk', '', `**${sayAnswer(answer.answer)}** ${inline(answer.reasons[0] ?? '', 240)}`];
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

function tests(all: PromotionEvidence['tests'], rows: number): string[] {
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

function ending({ revision, toStage }: PromotionEvidence): string[] {
  return [
    '## What merging does',
    '',
    `Merging brings exactly \`${hex(revision)}\` to the branch that ${name(toStage)} is deployed from. Lynceus then watches it there: checks, rollout, tests and evaluation as that stage demands.`,
    `Closing this pull request leaves ${name(toStage)} as it is.`,
    'The lines below tie the merge to its evidence; please keep them.',
  ];
}

/** What its title begins with, and its merge commit. */
export function subjectOf(identity: PromotionIdentity): string {
  const revision = plain(identity.revision.slice(0, 7), 7);
  return `Promote ${plain(identity.service, MAX_NAME)} ${revision} to ${plain(identity.toStage, MAX_NAME)}`;
}

function sayVerdict({ verdict, evaluation: found }: PromotionEvidence): string {
  return found === undefined ? verdict : `${verdict} ${score(found.score)}/100`;
}

const ANSWERS: Readonly<Record<CheckAnswer['answer'], string>> = {
  pass: 'Pass.',
  'needs-approval': 'A person must agree.',
  deny: 'Denied.',
  unknown: 'Could not be judged.',
};

function sayAnswer(answer: CheckAnswer['answer']): string {
  return ANSWERS[answer];
}

function more(count: number, what: string, asRow = false): string[] {
  if (count <= 0) return [];
  const words = `and ${count} more ${what}${count === 1 ? '' : 's'}`;
  return asRow ? ['', words] : [`- ${words}`];
}

function name(text: string): string {
  return inline(text, MAX_NAME);
}

export function hex(sha: string): string {
  return /^[0-9a-f]{7,64}$/.test(sha) ? sha.slice(0, 7) : 'unknown';
}

/** Never rounded up: 89.96 of the 90 that are needed is no 90. */
function score(value: number): string {
  return Number.isFinite(value) ? String(Math.floor(value * 10) / 10) : 'unknown';
}

function number(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : 'no number';
}

function sign(points: number): string {
  const text = Number.isFinite(points) ? points.toFixed(1) : 'no number';
  return points > 0 ? `+${text}` : text;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
