import type { State } from '../../answers/change-row.ts';
import { type Html, html } from '../html.ts';

type Shape = 'tick' | 'triangle' | 'cross' | 'ring' | 'bars' | 'dot' | 'question' | 'over';

const shape = (path: string, look: 's' | 'f') =>
  html`<svg class="i" viewBox="0 0 16 16" aria-hidden="true"><path d="${path}" class="${look}"/></svg>`;

/** Drawn where they stand: what refers to a drawing costs browsers twice as much, and packed they are hardly larger. */
const SHAPES: Readonly<Record<Shape, Html>> = {
  tick: shape('M2.5 8.7l3.7 3.8L13.5 4', 's'),
  triangle: shape('M8 1l7.6 13.6H.4zM7 5.6h2l-.3 4.6H7.3zM7.1 11.3h1.8v1.8H7.1z', 'f'),
  cross: shape('M3.2 3.2l9.6 9.6M12.8 3.2l-9.6 9.6', 's'),
  ring: shape('M8 2.4a5.6 5.6 0 1 1-5.3 3.8', 's'),
  bars: shape('M3 2.5h3.6v11H3zM9.4 2.5H13v11H9.4z', 'f'),
  dot: shape('M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 1 1 0-5.6z', 'f'),
  question: shape('M4.8 5.4a3.2 3.2 0 1 1 4.9 2.7C8.4 8.9 8 9.4 8 10.6M8 13v1.4', 's'),
  over: shape('M1.8 12.5a6.3 6.3 0 0 1 11.4-3.9M13.8 3.6v5.2H8.6', 's'),
};

/** Said by shape and word; colour comes third. */
const LOOKS: Readonly<Record<State, { shape: Shape; word: string }>> = {
  passed: { shape: 'tick', word: 'Passed' },
  warning: { shape: 'triangle', word: 'Warning' },
  failed: { shape: 'cross', word: 'Failed' },
  running: { shape: 'ring', word: 'Running' },
  waiting: { shape: 'bars', word: 'Waiting' },
  queued: { shape: 'bars', word: 'Queued' },
  idle: { shape: 'dot', word: 'Not started' },
  skipped: { shape: 'dot', word: 'Skipped' },
  unknown: { shape: 'question', word: 'No signal' },
  superseded: { shape: 'over', word: 'Replaced' },
};

/** The mark of a state with its word, or with `text` where that says more. */
export function stateMark(state: State, text: string = stateWord(state)): Html {
  return html`<span class="st ${state}">${stateShape(state)}${text}</span>`;
}

/** The shape alone: only beside words that say the same. */
export function stateShape(state: State): Html {
  return SHAPES[LOOKS[state].shape];
}

export function stateWord(state: State): string {
  return LOOKS[state].word;
}

const RESULTS: Readonly<Record<string, State>> = {
  pass: 'passed',
  warning: 'warning',
  fail: 'failed',
  running: 'running',
  waiting: 'waiting',
  triggered: 'queued',
  superseded: 'superseded',
};

/** What the engine calls a result or a status, as a state. */
export function stateOfResult(result: string): State {
  return RESULTS[result] ?? 'idle';
}
