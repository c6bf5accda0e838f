import type { State } from '../../answers/change-row.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { CheckAnswer } from '../../engine/check.ts';
import { type Html, html } from '../html.ts';
import { sayNumber, sayScore } from './number.ts';
import { stateMark } from './state.ts';

const WIDTH = 120;
const MIDDLE = WIDTH / 2;
const HEIGHT = 10;

const WORDS: Readonly<Record<CheckAnswer['answer'], { state: State; word: string }>> = {
  pass: { state: 'passed', word: 'Passed' },
  'needs-approval': { state: 'warning', word: 'Needs approval' },
  deny: { state: 'failed', word: 'Denied' },
  unknown: { state: 'unknown', word: 'Not known' },
};

interface Factor {
  signal: string;
  seen: string;
  /** Of the score: what it would lose without this. */
  points: number;
}

/**
 * The risk of a change as its check answered it: the score with its limits, every factor with what it adds or takes,
 * what could not be known, and the rules. Figures of an older version, or none, leave the sentences.
 */
export function riskPanel(answer: CheckAnswer): Html {
  const { figures, reasons } = answer;
  const factors = factorsOf(figures);
  const { state, word } = WORDS[answer.answer] ?? WORDS.unknown;
  return html`<div class="risk"><p>${stateMark(state, `Risk: ${word}`)}${headline(figures)}</p>
${factors.length === 0 ? sentences(reasons) : table(factors, figures)}
${missing(figures)}${rules(figures)}</div>`;
}

function headline(figures: JsonObject): Html | undefined {
  const { score, upTo, level, approvalAbove, denyAbove } = figures;
  if (!isNumber(score)) return undefined;
  const worst = isNumber(upTo) && upTo - score >= 0.5 ? `, up to ${sayScore(upTo)} with what is not known` : '';
  const limits = [
    ...(isNumber(approvalAbove) ? [`above ${sayNumber(approvalAbove)} a person must agree`] : []),
    ...(isNumber(denyAbove) ? [`above ${sayNumber(denyAbove)} it is denied`] : []),
  ];
  const called = typeof level === 'string' ? `, ${level}` : '';
  return html`, <b>${sayScore(score)} of 100</b>${called}${worst}${limits.length === 0 ? '' : ` (${limits.join('; ')})`}`;
}

function sentences(reasons: readonly string[]): Html | undefined {
  return reasons.length === 0 ? undefined : html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`;
}

/** The base first, as what the factors add to; then the strongest. */
function factorsOf({ base, contributions }: JsonObject): Factor[] {
  const all = (Array.isArray(contributions) ? contributions : []).flatMap((one) => factorOf(one, one));
  const sorted = all.sort((a, b) => Math.abs(b.points) - Math.abs(a.points));
  return [...factorOf(base, { signal: 'failure rate so far' }), ...sorted];
}

function factorOf(value: Json | undefined, named: Json): Factor[] {
  if (!isJsonObject(value) || !isJsonObject(named)) return [];
  const { seen, points } = value;
  const { signal } = named;
  if (typeof signal !== 'string' || !isNumber(points)) return [];
  return [{ signal, seen: typeof seen === 'string' ? seen : '', points }];
}

function table(factors: readonly Factor[], { score }: JsonObject): Html {
  const largest = Math.max(1, ...factors.map(({ points }) => Math.abs(points)));
  const whole = isNumber(score) ? ` Together with how they act on one another they make ${sayScore(score)}.` : '';
  return html`<table class="stack factors"><caption>What the score is made of, in points.${whole}</caption>
<thead><tr><th scope="col">Factor</th><th scope="col">What was seen</th><th scope="col" class="number">Points</th><th scope="col" class="wide" aria-hidden="true"></th></tr></thead>
<tbody>${factors.map((factor) => row(factor, largest))}</tbody></table>`;
}

function row({ signal, seen, points }: Factor, largest: number): Html {
  return html`<tr><th scope="row">${signal}</th><td data-label="Seen">${seen}</td><td data-label="Points" class="number">${signed(points)}</td><td class="wide" aria-hidden="true">${bar(points / largest)}</td></tr>`;
}

function signed(points: number): string {
  const text = Math.abs(points).toFixed(1);
  if (text === '0.0') return '0';
  return `${points > 0 ? '+' : '−'}${text}`;
}

/** To the right: adds to the risk. The number stands beside it. */
function bar(share: number): Html {
  const length = Math.round(Math.min(1, Math.abs(share)) * (MIDDLE - 2) * 10) / 10;
  const x = share >= 0 ? MIDDLE : MIDDLE - length;
  return html`<svg class="factor ${share >= 0 ? 'adds' : 'takes'}" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"><path d="M${MIDDLE} 0V${HEIGHT}" class="track"/><rect x="${x}" y="2" width="${length}" height="6"/></svg>`;
}

function missing({ unknown }: JsonObject): Html | undefined {
  const all = (Array.isArray(unknown) ? unknown : []).flatMap((one) =>
    isJsonObject(one) && typeof one['signal'] === 'string' ? [{ signal: one['signal'], why: one['why'] }] : [],
  );
  if (all.length === 0) return undefined;
  return html`<p>Not known, so not counted:</p><ul>${all.map(({ signal, why }) => html`<li>${signal}${typeof why === 'string' && why !== '' ? `: ${why}` : ''}</li>`)}</ul>`;
}

function rules({ rules }: JsonObject): Html | undefined {
  const all = (Array.isArray(rules) ? rules : []).filter(isJsonObject);
  if (all.length === 0) return undefined;
  return html`<ul class="plain">${all.map(({ name, red, said }) => html`<li>${stateMark(red === true ? 'failed' : red === false ? 'passed' : 'unknown', String(said ?? name ?? ''))}</li>`)}</ul>`;
}

function isNumber(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
