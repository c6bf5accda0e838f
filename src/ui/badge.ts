import type { State } from '../answers/change-row.ts';
import { html } from './html.ts';

/** What a badge says: on the left whose it is, on the right how it stands. */
export interface Badge {
  label: string;
  state: State;
  version?: string;
  /** 0..100. */
  score?: number;
}

/** White text on each of them has a contrast of 4.5 or more; state is also told in words. */
const COLOURS: Readonly<Record<State, string>> = {
  passed: '#0b7a75',
  warning: '#a35000',
  failed: '#8f1020',
  running: '#0b5cad',
  waiting: '#6b3fa0',
  queued: '#4c5661',
  idle: '#4c5661',
  skipped: '#4c5661',
  superseded: '#4c5661',
  unknown: '#4c5661',
};

const WORDS: Readonly<Record<State, string>> = {
  passed: 'passed',
  warning: 'warning',
  failed: 'failed',
  running: 'running',
  waiting: 'waiting',
  queued: 'queued',
  idle: 'not started',
  skipped: 'skipped',
  superseded: 'replaced',
  unknown: 'no signal',
};

const LABEL_COLOUR = '#343b43';
const HEIGHT = 20;
const PADDING = 7;
/** Of Verdana at 11 px, about; the text is fitted to what is reserved for it. */
const CHARACTER = 6.8;
const MAX_CHARS = 60;

/** The badge as an SVG that needs no style, no script and no font of its own. */
export function badgeSvg(badge: Badge): string {
  const label = clip(badge.label);
  const message = clip(sayBadge(badge));
  const [left, right] = [widthOf(label), widthOf(message)];
  const text = (content: string, x: number, width: number) =>
    html`<text x="${x + PADDING}" y="14" textLength="${width - 2 * PADDING}" lengthAdjust="spacingAndGlyphs">${content}</text>`;
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="${HEIGHT}" viewBox="0 0 ${left + right} ${HEIGHT}" role="img" aria-label="${label}: ${message}"><title>${label}: ${message}</title><rect width="${left + right}" height="${HEIGHT}" rx="3" fill="${LABEL_COLOUR}"/><path d="M${left} 0h${right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-${right - 3}z" fill="${COLOURS[badge.state]}"/><g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">${text(label, 0, left)}${text(message, left, right)}</g></svg>
`.text;
}

/** `1.8.2 warning, 82` */
export function sayBadge({ state, version, score }: Badge): string {
  const word = version === undefined ? WORDS[state] : `${version} ${WORDS[state]}`;
  return score === undefined ? word : `${word}, ${Math.round(score)}`;
}

function widthOf(text: string): number {
  return Math.round(text.length * CHARACTER) + 2 * PADDING;
}

function clip(text: string): string {
  const characters = [...text.toWellFormed().replace(/\p{Cc}/gu, ' ')];
  return characters.length > MAX_CHARS ? `${characters.slice(0, MAX_CHARS - 1).join('')}…` : characters.join('');
}
