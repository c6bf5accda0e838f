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
import { stageFacts, stageLine } from './stage-facts.ts';

export interface JourneyOptions {
  /** Absent: nothing has been delivered yet. */
  change?: ChangeView;
  /** The step that the address names. */
  step?: string;
}

/** The journey of a change with the evidence of each step in place; what is still to come stands grey at its end. */
export function journeyHtml(sections: readonly Section[], frame: Frame, options: JourneyOptions): Html {
  return html`<section aria-labelledby="journey" class="journey"><h2 id="journey">Journey</h2>
${sections.length === 0 ? html`<p class="quiet">Nothing has been told of it yet.</p>` : undefined}
${sections.map((section) => sectionHtml(section, frame, options))}</section>`;
}

function sectionHtml(section: Section, frame: Frame, options: JourneyOptions): Html {
  const { stage, view, legs } = section;
  const id = view?.sequence ?? stage ?? 'before';
  const heading =
    view === undefined
      ? html`${stage === undefined ? 'Before the first stage' : stateMark('idle', `${stage}: not started`)}`
      : stageLine(
          view,
          legs.some(({ state }) => state === 'running'),
        );
  return html`<section class="leg${view === undefined && stage !== undefined ? ' future' : ''}" id="${id}"><h3>${heading}</h3>
${view === undefined ? undefined : stageFacts(view)}
<ol class="plain steps">${legs.map((leg) => legHtml(leg, section, frame, options))}</ol></section>`;
}

function legHtml(leg: Leg, section: Section, frame: Frame, { change, step }: JourneyOptions): Html {
  const { key, name, state, startedAt, detail, attempt, cluster, links, task } = leg;
  const isFuture = startedAt === undefined;
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
  return html`<li class="step${isFuture ? ' future' : ''}${key === step ? ' sel' : ''}" id="${section.view?.sequence ?? 'step'}.${key}">
<span class="time">${timesOf(leg, frame)}</span>
<span class="name">${stateMark(state, name)}</span>
<span class="took">${tookOf(leg, frame)}</span>
<div class="said">${detail === undefined ? undefined : html`<p class="message">${detail}${untilOf(leg, frame)}</p>`}${facts.text === '' ? undefined : html`<p class="fact quiet">${facts}</p>`}${leg.expected === undefined ? undefined : html`<p class="fact">${rangeBar(leg.expected)} ${usually(leg.expected)}</p>`}</div>${proof === undefined ? undefined : html`<details${isOpen ? html` open` : undefined}><summary>Evidence</summary>${proof}</details>`}</li>`;
}

function untilOf({ task }: Leg, { now }: Frame): Html | undefined {
  const until = task?.finishedAt === undefined ? task?.waitingFor?.until : undefined;
  return until === undefined ? undefined : html`, until ${clockTime(until, now)}`;
}

function timesOf({ startedAt, endedAt, expected }: Leg, { now }: Frame): Html {
  if (startedAt === undefined) return html`${expected === undefined ? '' : `~${say(expected.p50)}`}`;
  if (endedAt === undefined) return html`${clockTime(startedAt, now)} → now`;
  const same = endedAt.slice(0, 16) === startedAt.slice(0, 16);
  return html`${clockTime(startedAt, now)}${same ? undefined : html` → ${clockTime(endedAt, startedAt)}`}`;
}

const LEAST_MS = 1_000;

function tookOf({ startedAt, endedAt }: Leg, { now }: Frame): Html | undefined {
  if (startedAt === undefined) return undefined;
  if (endedAt === undefined) return since(startedAt, now);
  const ms = Date.parse(endedAt) - Date.parse(startedAt);
  return Number.isFinite(ms) && ms >= LEAST_MS ? html`${sayDuration(ms)}` : undefined;
}

function usually({ p10, p50, p90, n }: Quant): string {
  return `usually ${say(p50)} (${say(p10)} to ${say(p90)}, ${n} runs)`;
}

function say(seconds: number): string {
  return sayDuration(Math.max(0, seconds) * 1000);
}
