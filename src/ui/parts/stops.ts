import { type LineStop, scopeOf } from '../../engine/stop-the-line.ts';
import { type Html, html } from '../html.ts';
import { clockTime } from './time.ts';

/** `The line to production is stopped by ada since 12:04: reason`. */
export function sayStop(stop: LineStop, now: string): Html {
  const scope = scopeOf(stop);
  return html`<b>${scope.charAt(0).toUpperCase()}${scope.slice(1)} is stopped</b> by ${stop.actor} since ${clockTime(stop.at, now)}: ${stop.reason}`;
}
