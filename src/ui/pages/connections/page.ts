import type { State } from '../../../answers/change-row.ts';
import { sayDuration } from '../../../base/duration.ts';
import type { ApplicationState, ConnectionState } from '../../../views/connections.ts';
import { type ConnectionsRead, connectionKey, type QueueHealth } from '../../../views/connections-screen.ts';
import { type Html, html } from '../../html.ts';
import { sayCount } from '../../parts/number.ts';
import { stateMark } from '../../parts/state.ts';
import { ago } from '../../parts/time.ts';

export interface ConnectionsScreen extends ConnectionsRead {
  now: string;
}

export const LEVELS: Readonly<Record<ConnectionState['level'], { state: State; word: string }>> = {
  ok: { state: 'passed', word: 'Well' },
  warning: { state: 'warning', word: 'Warning' },
  problem: { state: 'failed', word: 'Problem' },
  unchecked: { state: 'unknown', word: 'Not looked at yet' },
};

export const SECTIONS: Readonly<Record<ConnectionState['section'], string>> = {
  deliverySystems: 'delivery system',
  gitHosts: 'Git host',
  metrics: 'metrics',
  registries: 'registry',
  eventSinks: 'event sink',
  signIn: 'sign-in provider',
};

/** What reports to us, what is silent, and how to mend it. */
export function connectionsScreen(screen: ConnectionsScreen): Html {
  const { view, now } = screen;
  const bad = view.connections.filter(({ level }) => level === 'problem' || level === 'warning').length;
  const unchecked = view.connections.filter(({ level }) => level === 'unchecked').length;
  const said = [
    ...(bad > 0 ? [`${bad} of ${view.connections.length} need attention`] : []),
    ...(unchecked > 0 ? [`${unchecked} not looked at yet`] : []),
  ];
  return html`<h1>Connections: ${said.length === 0 ? 'nothing found wrong' : said.join(', ')}</h1>
${sources(screen)}
${applications(screen)}
${unjoined(screen)}
${queues(screen.queues)}
<p class="quiet">As of ${now.slice(11, 16)} UTC. Connections are looked at every 10 min; <code>lynceus doctor</code> looks at once.</p>`;
}

function sources(screen: ConnectionsScreen): Html {
  const { view, now } = screen;
  return html`<table class="stack"><caption class="unseen">Sources</caption><thead><tr><th scope="col">Source</th><th scope="col">State</th><th scope="col">Last signal</th><th scope="col">Heard of in 24 h</th><th scope="col">Looked at</th></tr></thead><tbody>${view.connections.map((one) => sourceRow(one, now))}${pipelinesRow(screen)}</tbody></table>${refused(screen)}`;
}

function sourceRow(one: ConnectionState, now: string): Html {
  const { name, kind, section, level, findings, heardAt, heardLastDay, labelled, checkedAt, hasWebhook } = one;
  const { state, word } = LEVELS[level];
  const [first, ...others] = findings.filter((finding) => finding.level !== 'ok');
  const why =
    first === undefined
      ? undefined
      : html`<div>${first.sentence}${others.length > 0 ? html` <span class="quiet">and ${others.length} more</span>` : undefined}</div>`;
  const signal =
    heardAt === undefined ? (hasWebhook ? 'never' : html`<span class="quiet">does not call</span>`) : ago(heardAt, now);
  const rate =
    heardLastDay === undefined
      ? html`<span class="quiet">not counted</span>`
      : `${heardLastDay}${labelled === undefined ? '' : ` of ${labelled} labelled`}`;
  const key = connectionKey(one);
  return html`<tr data-k="c-${key}"><th scope="row"><a href="/connections/${encodeURIComponent(key)}" data-k="o-${key}">${name}</a> <span class="quiet">${kind}, ${SECTIONS[section] ?? section}</span></th><td data-label="State">${stateMark(state, word)}${why}</td><td data-label="Last signal">${signal}</td><td data-label="Heard of in 24 h">${rate}</td><td data-label="Looked at">${checkedAt === undefined ? 'not yet' : ago(checkedAt, now)}</td></tr>`;
}

function pipelinesRow({ reports, unjoined: all, now }: ConnectionsScreen): Html {
  const newest = reports
    .map(({ lastAt }) => lastAt)
    .sort()
    .at(-1);
  const count = all.reduce((sum, one) => sum + one.count, 0);
  const mark =
    count > 0
      ? stateMark('warning', 'Warning')
      : newest === undefined
        ? stateMark('idle', 'Not used')
        : stateMark('passed', 'Well');
  const why =
    count > 0 ? html`<div>${count} ${count === 1 ? 'event is' : 'events are'} joined to no change</div>` : undefined;
  return html`<tr><th scope="row"><a href="/connections/pipelines" data-k="o-pipelines">pipelines</a> <span class="quiet">CI reports</span></th><td data-label="State">${mark}${why}</td><td data-label="Last signal">${newest === undefined ? 'never' : ago(newest, now)}</td><td data-label="Heard of in 24 h"><span class="quiet">not counted</span></td><td data-label="Looked at"><span class="quiet">calls us</span></td></tr>`;
}

/** Counted by this process since it started. */
function refused({ refused: all }: ConnectionsScreen): Html | undefined {
  if (all.length === 0) return undefined;
  const said = all
    .map(({ sender, outcome, count }) => `${sender}: ${count} ${outcome.replaceAll('-', ' ')}`)
    .join(' · ');
  return html`<p>${stateMark('warning', 'Not taken')} since this replica started: ${said}</p>`;
}

const STATES: Readonly<Record<ApplicationState['state'], { state: State; word: string }>> = {
  ok: { state: 'passed', word: 'Well' },
  silent: { state: 'unknown', word: 'Silent' },
  incomplete: { state: 'warning', word: 'Incomplete' },
  unreadable: { state: 'failed', word: 'Not readable' },
};

/** A screen of them: more is one mistake, made many times. */
const MAX_SHOWN = 50;

function applications({ view }: ConnectionsScreen): Html {
  const bad = view.applications.filter(({ state }) => state !== 'ok');
  const title = html`<h2 id="applications">Applications</h2>`;
  if (bad.length === 0) {
    const count = view.applications.length + view.more;
    return html`${title}<p>${count === 0 ? 'No labelled application was seen yet.' : `Nothing found wrong with ${sayCount(count, 'labelled application')}.`}</p>`;
  }
  const more =
    bad.length > MAX_SHOWN
      ? html`<p>${bad.length - MAX_SHOWN} more: <a href="/api/v1/connections">all, for programs</a></p>`
      : undefined;
  return html`${title}<table class="stack"><caption class="unseen">Applications with problems</caption><thead><tr><th scope="col">Application</th><th scope="col">State</th><th scope="col">What is wrong</th><th scope="col">How to mend it</th></tr></thead><tbody>${bad.slice(0, MAX_SHOWN).map(applicationRow)}</tbody></table>${more}`;
}

function applicationRow({ system, namespace, name, state, problems }: ApplicationState): Html {
  const look = STATES[state];
  return html`<tr data-k="a-${system}/${namespace}/${name}"><th scope="row">${name} <span class="quiet">${namespace}, ${system}</span></th><td data-label="State">${stateMark(look.state, look.word)}</td><td data-label="Wrong">${problems.map(({ sentence }) => html`<div>${sentence}</div>`)}</td><td data-label="Mend">${problems.map(({ remedy }) => html`<div>${remedy}</div>`)}</td></tr>`;
}

function unjoined({ unjoined: all, now }: ConnectionsScreen): Html | undefined {
  if (all.length === 0) return undefined;
  return html`<h2 id="unjoined">Events that are joined to no change</h2><table class="stack"><caption class="unseen">Events without a change</caption><thead><tr><th scope="col">From</th><th scope="col">What</th><th scope="col">How to mend it</th><th scope="col">Last</th></tr></thead><tbody>${all.map((one) => html`<tr><th scope="row">${one.source}</th><td data-label="What">${one.what}</td><td data-label="Mend">${one.remedy}</td><td data-label="Last">${ago(one.lastAt, now)}</td></tr>`)}</tbody></table>`;
}

const LATE_MS = 60_000;

function queues(all: readonly QueueHealth[]): Html {
  const rows = [...all].sort(
    (a, b) => b.dead - a.dead || b.oldestDueMs - a.oldestDueMs || (a.queue < b.queue ? -1 : 1),
  );
  const dead = all.reduce((sum, one) => sum + one.dead, 0);
  const late = all.filter(({ oldestDueMs }) => oldestDueMs > LATE_MS).length;
  const said =
    dead > 0
      ? stateMark('failed', `${dead} given up`)
      : late > 0
        ? stateMark('warning', 'behind')
        : stateMark('passed', 'keeps up');
  const body = rows.map(
    ({ queue, due, waiting, running, dead: gone, oldestDueMs }) =>
      html`<tr><th scope="row">${queue}</th><td data-label="Due" class="number">${due}</td><td data-label="Running" class="number">${running}</td><td data-label="Later" class="number">${waiting}</td><td data-label="Oldest due" class="number">${oldestDueMs === 0 ? '–' : sayDuration(oldestDueMs)}</td><td data-label="Given up">${gone > 0 ? stateMark('failed', String(gone)) : '0'}</td></tr>`,
  );
  return html`<h2 id="queue">Work of our own: ${said}</h2><details ${dead > 0 || late > 0 ? 'open' : ''}><summary>By queue</summary><table class="stack"><thead><tr><th scope="col">Queue</th><th scope="col" class="number">Due</th><th scope="col" class="number">Running</th><th scope="col" class="number">Later</th><th scope="col" class="number">Oldest due</th><th scope="col">Given up</th></tr></thead><tbody>${body}</tbody></table></details>`;
}
