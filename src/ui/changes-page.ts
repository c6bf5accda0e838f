import { type LineStop, scopeOf } from '../engine/stop-the-line.ts';
import type { ChangeView, StageView } from '../views/change.ts';
import type { Frame } from './frame.ts';
import { type Html, html } from './html.ts';
import { page } from './layout.ts';
import { sayScore } from './parts/number.ts';
import { shortCommit } from './parts/reference.ts';
import { stateMark, stateOfResult } from './parts/state.ts';
import { minute } from './parts/time.ts';

export function mark(state: string, text: string): Html {
  return stateMark(stateOfResult(state), text);
}

/** What a list is narrowed to. */
export interface Filter {
  project?: string;
  stage?: string;
  service?: string;
}

/** Every change with where it is and what it waits for. */
export function changesPage(
  frame: Frame,
  changes: readonly ChangeView[],
  filter: Filter,
  next: string | undefined,
  stops: readonly LineStop[] = [],
): string {
  const body = changes.length === 0 ? empty(filter) : list(changes, filter, next);
  return page(frame, 'Changes', html`${stops.map(stopped)}${body}`);
}

/** Whoever looks for a change that does not move sees this first. */
function stopped(stop: LineStop): Html {
  const { actor, reason, at } = stop;
  const scope = scopeOf(stop);
  return html`<p role="alert">${mark('fail', `${scope.charAt(0).toUpperCase()}${scope.slice(1)} is stopped`)} by ${actor} since ${minute(at)}: ${reason}</p>`;
}

function empty(filter: Filter): Html {
  if (Object.keys(filter).length > 0) return html`<h1>No change here</h1>${narrowed(filter)}`;
  return html`<h1>No change yet</h1>
<p>A change appears as soon as a labelled application gets a new commit.</p>
<ol>
<li>Label an Argo CD Application: <code>lynceus.dev/project</code>, <code>lynceus.dev/stage</code>, <code>lynceus.dev/service</code>.</li>
<li>Apply <code>argocd-notifications/</code>, so that Argo CD tells us at once.</li>
<li>Push a commit to the branch that the application deploys.</li>
</ol>`;
}

function list(changes: readonly ChangeView[], filter: Filter, next: string | undefined): Html {
  const more =
    next === undefined
      ? undefined
      : html`<p><a href="${listAddress({ ...filter, cursor: next })}" rel="next">Older changes</a></p>`;
  return html`<h1>Where is my change?</h1>
${narrowed(filter)}
<table class="stack">
<thead><tr><th scope="col">Change</th><th scope="col">Stages</th><th scope="col">Now</th><th scope="col">Last moved</th></tr></thead>
<tbody>${changes.map(row)}</tbody>
</table>
${more}`;
}

function narrowed(filter: Filter): Html | undefined {
  const parts = Object.entries(filter).map(([name, value]) => html`${name} <b>${value}</b> `);
  return parts.length === 0 ? undefined : html`<p>Only ${parts}· <a href="/changes">all changes</a></p>`;
}

function row(change: ChangeView): Html {
  const { project, service } = change;
  return html`<tr>
<td><a href="/changes/${encodeURIComponent(change.id)}"><b>${service}</b> ${shortCommit(change.revision)}</a>
<div class="quiet"><a href="${listAddress({ project })}">${project}</a></div></td>
<td><ol class="stages">${change.stages.map((stage) => html`<li>${stageLine(stage)}</li>`)}</ol></td>
<td>${change.summary}</td>
<td data-label="Last moved">${minute(change.updatedAt)}</td>
</tr>`;
}

/** Where the list is, narrowed. */
export function listAddress(query: Filter & { cursor?: string }): string {
  return `/changes?${Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')}`;
}

/** A stage in a few words: `✓ staging: passed, 96`. */
export function stageLine(stage: StageView): Html {
  const score = stage.score === undefined ? '' : `, ${sayScore(stage.score)}`;
  return mark(stateOf(stage), `${stage.stage}: ${wordFor(stage)}${score}`);
}

function stateOf(stage: StageView): string {
  if (stage.reason === 'superseded') return 'superseded';
  return stage.status === 'finished' ? (stage.result ?? 'none') : stage.status;
}

const AFTERWARDS: Readonly<Record<NonNullable<StageView['rollback']>['state'], string>> = {
  'under way': 'going back',
  done: 'rolled back',
  failed: 'ROLLBACK FAILED',
  'not done': 'not rolled back',
};

function wordFor(stage: StageView): string {
  if (stage.reason === 'superseded') return 'superseded';
  if (stage.status !== 'finished') return stage.status === 'triggered' ? 'next in line' : stage.status;
  const word = { pass: 'passed', warning: 'warning', fail: 'failed' }[stage.result ?? 'fail'];
  if (stage.rollsBack) return `rollback ${word}`;
  return stage.rollback ? `${word}, ${AFTERWARDS[stage.rollback.state]}` : word;
}
