import { sayDuration } from '../../../base/duration.ts';
import type { ConnectionState } from '../../../views/connections.ts';
import type { TestEvent } from '../../../views/connections-screen.ts';
import { type Html, html } from '../../html.ts';
import { command } from '../../parts/notice.ts';
import { stateMark } from '../../parts/state.ts';
import { ago, clockTime } from '../../parts/time.ts';
import { LEVELS, SECTIONS } from './page.ts';
import { snippetsFor } from './snippets.ts';

export interface SourceScreen {
  /** Names it in addresses. */
  key: string;
  /** Absent: the pipelines, which are no entry of lynceus.yaml. */
  connection?: ConnectionState;
  test?: TestEvent;
  /** Absent: there is no way to. */
  testing?: { allowed: boolean; csrf?: string };
  publicUrl: string;
  now: string;
}

/** One source: what was found, what to set up at the other side, and a test. */
export function sourceScreen(screen: SourceScreen): Html {
  const { connection, key, publicUrl } = screen;
  const title =
    connection === undefined
      ? html`<h1>pipelines</h1><p class="quiet">CI reports builds, images and pull requests by <code>POST /api/v1/events</code>.</p>`
      : heading(connection, screen.now);
  const snippets = snippetsFor(connection?.kind ?? 'pipelines', publicUrl);
  return html`<p><a href="/connections" data-k="back">‹ all connections</a></p>
${title}
${connection === undefined ? undefined : findings(connection)}
${test(screen)}
${snippets.length === 0 ? undefined : html`<h2 id="set-up">To set up at the other side</h2>${snippets.map(({ what, text }) => html`<p>${what}</p>${command(text)}`)}`}
<p class="quiet">${key === 'pipelines' ? 'What reports are joined by: digest, full commit, pull request; never by tag alone.' : 'Secrets are never shown here: take them from where lynceus.yaml does.'}</p>`;
}

function heading(
  { name, kind, section, level, heardAt, labelled, checkedAt, hasWebhook }: ConnectionState,
  now: string,
): Html {
  const { state, word } = LEVELS[level];
  const facts = [
    heardAt === undefined ? (hasWebhook ? html`never heard of` : undefined) : html`last signal ${ago(heardAt, now)}`,
    labelled === undefined ? undefined : html`${labelled} labelled applications`,
    checkedAt === undefined ? html`not looked at yet` : html`looked at ${ago(checkedAt, now)}`,
  ].filter((fact) => fact !== undefined);
  return html`<h1>${name} <span class="quiet">${kind}, ${SECTIONS[section] ?? section}</span></h1><p>${stateMark(state, word)}${facts.map((fact) => html` · ${fact}`)}</p>`;
}

const ORDER = ['problem', 'warning', 'ok'] as const;

function findings({ findings: all }: ConnectionState): Html {
  if (all.length === 0) return html`<p class="quiet">It was not looked at yet.</p>`;
  const sorted = [...all].sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
  return html`<h2 id="findings">What was found</h2><table class="stack"><caption class="unseen">Findings</caption><thead><tr><th scope="col">Check</th><th scope="col">State</th><th scope="col">Found</th><th scope="col">How to mend it</th></tr></thead><tbody>${sorted.map(finding)}</tbody></table>`;
}

function finding({ level, check, sentence, remedy }: ConnectionState['findings'][number]): Html {
  const { state, word } = LEVELS[level];
  return html`<tr><th scope="row">${check}</th><td data-label="State">${stateMark(state, word)}</td><td data-label="Found">${sentence}</td><td data-label="Mend">${remedy}</td></tr>`;
}

/** It goes through the receiver of the real events; the way from the sender to here is the sender's to test. */
function test({ key, test: last, testing, now }: SourceScreen): Html | undefined {
  if (testing === undefined) return undefined;
  const { allowed, csrf } = testing;
  const button = allowed
    ? html`<form method="post" action="/connections/${encodeURIComponent(key)}/test">${csrf === undefined ? undefined : html`<input type="hidden" name="csrf" value="${csrf}">`}<button>Send test event</button></form>`
    : html`<p><button disabled>Send test event</button> <span class="quiet">needs an operator</span></p>`;
  return html`<h2 id="test">Test</h2>${button}<p>${received(last, now)}</p><p class="quiet">It takes the webhook's own way from the token on: check, log, queue. It changes nothing. Whether the sender reaches this address only the sender can tell.</p>`;
}

function received(last: TestEvent | undefined, now: string): Html {
  if (last === undefined) return html`No test event was received yet.`;
  if (last.receivedAt === undefined)
    return html`${stateMark('running', 'On its way')} since ${clockTime(last.sentAt, now)}`;
  const took = Date.parse(last.receivedAt) - Date.parse(last.sentAt);
  return html`${stateMark('passed', 'Received')} ${clockTime(last.receivedAt, now)}, ${ago(last.receivedAt, now)}, ${sayDuration(Math.max(0, took))} after ${last.by} sent it`;
}
