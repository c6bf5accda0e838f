import type { Quant } from '../../../answers/change-row.ts';
import { sayDuration } from '../../../base/duration.ts';
import type { ChangeView } from '../../../views/change.ts';
import type { Frame } from '../../frame.ts';
import { type Html, html, joined, link } from '../../html.ts';
import { rangeBar } from '../../parts/bars.ts';
import { stateMark } from '../../parts/state.ts';
import { clockTime, since } from '../../parts/time.ts';
import { evidence, inShort } from './evidence.ts';
import type { Leg, Section } from './journey.ts';

export interface JourneyOptions {
  /** Absent: nothing has been delivered yet. */
  change?: ChangeView;
  /** The step that the address names. */
  step?: string;
}

/** One step: when, what, what came of it, how long; with the evidence in place, and with the forecast where it is to come. */
export function stepHtml(leg: Leg, section: Section, frame: Frame, { change, step }: JourneyOptions): Html {
  const { key, name, state, startedAt, detail, attempt, cluster, links, task } = leg;
  const facts = joined(
    [
      cluster,
      attempt > 1 ? `attempt ${attempt}` : undefined,
      task === undefined || detail?.includes('of 100') ? undefined : inShort(task),
      ...links.map(({ text, url }) => link(url, text)),
    ],
    ' · ',
  );
  const proof = task === undefined || change === undefined ? undefined : evidence(change, section.stage ?? '', task);
  const isOpen = key === step || (state !== 'passed' && state !== 'idle');
  const day = section.view?.triggeredAt ?? startedAt ?? frame.now;
  return html`<li class="step${startedAt === undefined ? ' future' : ''}${key === step ? ' sel' : ''}" id="${section.view?.sequence ?? 'step'}.${key}">
<span class="time">${timesOf(leg, day)}</span>
<span class="name">${stateMark(state, name)}</span>
<div class="said">${said(detail === undefined ? undefined : html`${detail}${untilOf(leg, frame)}`, facts)}${leg.expected === undefined ? undefined : html`<p class="fact">${rangeBar(leg.expected)} ${usually(leg.expected)}</p>`}</div>
<span class="took">${tookBy(leg, frame)}</span>${proof === undefined ? undefined : html`<details${isOpen ? html` open` : undefined}><summary>Evidence</summary>${proof}</details>`}</li>`;
}

/** What came of it, and beside it what else is known. */
function said(detail: Html | undefined, facts: Html): Html | undefined {
  const quiet = facts.text === '' ? undefined : html`<span class="quiet">${facts}</span>`;
  return detail === undefined && quiet === undefined
    ? undefined
    : html`<p class="message">${joined([detail, quiet], ' · ')}</p>`;
}

function untilOf({ task }: Leg, { now }: Frame): Html | undefined {
  const until = task?.finishedAt === undefined ? task?.waitingFor?.until : undefined;
  return until === undefined ? undefined : html`, until ${clockTime(until, now)}`;
}

/** The line of the stage says which day it is. */
function timesOf({ startedAt, endedAt, expected }: Leg, day: string): Html | undefined {
  if (startedAt === undefined) return expected && html`~${say(expected.p50)}`;
  return span(startedAt, endedAt, day);
}

/** `12:02 → 12:08`, `12:27 → now`; with the date where it is another day than `day`. */
export function span(startedAt: string, endedAt: string | undefined, day: string): Html {
  if (endedAt === undefined) return html`${clockTime(startedAt, day)} → now`;
  const isMoment = endedAt.slice(0, 16) === startedAt.slice(0, 16);
  return html`${clockTime(startedAt, day)}${isMoment ? undefined : html` → ${clockTime(endedAt, startedAt)}`}`;
}

/** Shorter than this, how long something took tells nobody anything. */
const LEAST_MS = 1_000;

/** How long something took, or has taken so far. */
export function tookBy({ startedAt, endedAt }: Pick<Leg, 'startedAt' | 'endedAt'>, { now }: Frame): Html | undefined {
  if (startedAt === undefined) return undefined;
  if (endedAt === undefined) return since(startedAt, now);
  const ms = Date.parse(endedAt) - Date.parse(startedAt);
  return Number.isFinite(ms) && ms >= LEAST_MS ? html`${sayDuration(ms)}` : undefined;
}

function usually({ p10, p50, p90, n }: Quant): string {
  return `usually ${say(p50)} (${say(p10)} to ${say(p90)}, ${n} runs)`;
}

export function say(seconds: number): string {
  return sayDuration(Math.max(0, seconds) * 1000);
}
