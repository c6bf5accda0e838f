import type { State } from '../../../answers/change-row.ts';
import type { Frame } from '../../frame.ts';
import { type Content, type Html, html, joined } from '../../html.ts';
import { stateMark } from '../../parts/state.ts';
import { inShort } from './evidence.ts';
import type { Leg, Section } from './journey.ts';
import { stageLine } from './stage-facts.ts';
import { say, span, tookBy } from './step-html.ts';

const STILL_OVER: ReadonlySet<State> = new Set(['passed', 'skipped', 'superseded']);

/** Nobody has to look at it again: it went well, or was replaced, or was tried again later. */
export function isOver({ stage, view, legs }: Section, later: readonly Section[]): boolean {
  if (view === undefined) return legs.length > 0 && legs.every(({ state }) => STILL_OVER.has(state));
  if (view.status !== 'finished') return false;
  return view.result !== 'fail' || view.reason === 'superseded' || later.some((one) => one.view && one.stage === stage);
}

/** A stage in one line: when, how it stands, what is to be said of it, how long. */
export function sectionLine(section: Section, frame: Frame, over: boolean): Html {
  const times = timesOf(section);
  const { startedAt, endedAt } = times;
  const heading = html`<h3>${headingOf(section)}</h3>`;
  const time = startedAt === undefined ? undefined : span(startedAt, endedAt, frame.now);
  return html`<span class="time">${time}</span>${heading}<span class="said">${saidOf(section, over)}</span><span class="took">${tookBy(times, frame)}</span>`;
}

function headingOf({ stage, view, legs }: Section): Html {
  if (view)
    return stageLine(
      view,
      legs.some(({ state }) => state === 'running'),
    );
  const state = worstOf(legs);
  if (stage === undefined) return stateMark(state, sentence(unique(legs)));
  return stateMark(state, state === 'idle' ? `${stage}: not started` : `${stage}: ${state}`);
}

/** `Build, image and manifests`. */
function sentence(names: readonly string[]): string {
  const [first = '', ...rest] = names;
  const words = [first, ...rest.map((name) => name.toLowerCase())];
  return words.length < 2 ? first : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function unique(legs: readonly Leg[]): string[] {
  return [...new Set(legs.map(({ name }) => name))];
}

const WORST: readonly State[] = ['failed', 'waiting', 'unknown', 'running', 'queued', 'warning', 'idle', 'passed'];

function worstOf(legs: readonly Leg[]): State {
  return WORST.find((state) => legs.some((leg) => leg.state === state)) ?? 'idle';
}

function timesOf({ view, legs }: Section): { startedAt?: string; endedAt?: string } {
  if (view)
    return { startedAt: view.triggeredAt, ...(view.finishedAt === undefined ? {} : { endedAt: view.finishedAt }) };
  const [first] = legs.flatMap(({ startedAt }) => startedAt ?? []).sort();
  if (first === undefined) return {};
  const ends = legs.map(({ endedAt }) => endedAt ?? '').sort();
  const [earliest, last] = [ends[0], ends.at(-1)];
  return { startedAt: first, ...(earliest === '' || last === undefined ? {} : { endedAt: last }) };
}

/** Of what is over the figures it rests on; of what is to come how long it takes as a rule. */
function saidOf({ view, legs }: Section, over: boolean): Content {
  if (legs.every(({ startedAt }) => startedAt === undefined)) return legs.flatMap(worthTelling).join(', ');
  if (!over) return undefined;
  if (view === undefined) return legs.findLast(({ detail }) => detail !== undefined)?.detail;
  if (view.message !== undefined && (view.result !== 'pass' || view.reason === 'superseded')) return view.message;
  const approvals = view.tasks.flatMap(({ decisions }) => decisions).filter(({ verdict }) => verdict === 'approve');
  const checks = view.tasks.filter(({ data }) => Array.isArray(data['answers'])).map(inShort);
  const who = [...new Set(approvals.map(({ actor }) => actor))].join(' and ');
  return joined([...checks, who === '' ? undefined : `approved by ${who}`]);
}

const MINUTE = 60;

/** In whole minutes; what takes less is not what somebody waits for. */
function worthTelling({ name, expected }: Leg): string[] {
  if (expected === undefined) return [name];
  return expected.p50 < MINUTE ? [] : [`${name} ~${say(Math.round(expected.p50 / MINUTE) * MINUTE)}`];
}
