import { type Html, html } from '../html.ts';
import { sayScore } from './number.ts';

const STEP = 8;
const HEIGHT = 24;
const EDGE = 3;

/** Scores of 0..100, the oldest first; `undefined`: nothing could be judged. Says in words what it draws. */
export function sparkline(scores: readonly (number | undefined)[], what: string = 'scores'): Html {
  const known = scores.filter(isKnown);
  if (known.length === 0) return html`<span class="quiet">no score</span>`;
  const width = 2 * EDGE + (scores.length - 1) * STEP;
  const at = (nth: number) => EDGE + nth * STEP;
  const segments = segmentsOf(scores).map((points) =>
    points.map(([nth, score]) => `${at(nth)},${height(score)}`).join(' '),
  );
  const last = scores.findLastIndex(isKnown);
  const label = `last ${scores.length} ${what}: ${scores.map((score) => (isKnown(score) ? sayScore(score) : 'none')).join(', ')}`;
  return html`<svg class="spark" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img" aria-label="${label}">${segments.map((points) => html`<polyline points="${points}"/>`)}<circle cx="${at(last)}" cy="${height(scores[last] ?? 0)}" r="2.5"/></svg>`;
}

/** Where nothing was judged the line has a gap. */
function segmentsOf(scores: readonly (number | undefined)[]): [number, number][][] {
  const segments: [number, number][][] = [[]];
  for (const [nth, score] of scores.entries()) {
    if (isKnown(score)) segments.at(-1)?.push([nth, score]);
    else segments.push([]);
  }
  return segments.filter((points) => points.length > 0);
}

function isKnown(score: number | undefined): score is number {
  return score !== undefined && Number.isFinite(score);
}

function height(score: number): number {
  const share = Math.min(100, Math.max(0, score)) / 100;
  return Math.round((HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE)) * 10) / 10;
}
