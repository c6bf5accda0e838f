import type { ChangeView, StageView } from '../views/change.ts';
import { type Html, html } from './html.ts';
import { mark, moment, page, shortCommit } from './layout.ts';

/** Every change with where it is and what it waits for. */
export function changesPage(changes: readonly ChangeView[], next: string | undefined): string {
  return page('Changes', changes.length === 0 ? empty() : table(changes, next), { refreshSeconds: 15 });
}

function empty(): Html {
  return html`<h1>No change yet</h1>
<p>A change appears as soon as a labelled application gets a new commit.</p>
<ol>
<li>Label an Argo CD Application: <code>lynceus.dev/project</code>, <code>lynceus.dev/stage</code>, <code>lynceus.dev/service</code>.</li>
<li>Apply <code>argocd-notifications/</code>, so that Argo CD tells us at once.</li>
<li>Push a commit to the branch that the application deploys.</li>
</ol>`;
}

function table(changes: readonly ChangeView[], next: string | undefined): Html {
  const more =
    next === undefined
      ? undefined
      : html`<p><a href="/changes?cursor=${encodeURIComponent(next)}" rel="next">Older changes</a></p>`;
  return html`<h1>Where is my change?</h1>
<table class="stack">
<thead><tr><th scope="col">Change</th><th scope="col">Stages</th><th scope="col">Now</th><th scope="col">Last moved</th></tr></thead>
<tbody>${changes.map(row)}</tbody>
</table>
${more}`;
}

function row(change: ChangeView): Html {
  return html`<tr>
<td><a href="/changes/${encodeURIComponent(change.id)}">${change.service} ${shortCommit(change.revision)}</a><br><span class="quiet">${change.project}</span></td>
<td data-label="Stages">${change.stages.map((stage) => html`${stageMark(stage)}<br>`)}</td>
<td data-label="Now">${change.summary}</td>
<td data-label="Last moved">${moment(change.updatedAt)}</td>
</tr>`;
}

/** A stage in a few words: `✓ staging 96`. */
export function stageMark(stage: StageView): Html {
  const score = stage.score === undefined ? '' : ` ${Math.round(stage.score * 10) / 10}`;
  return mark(stateOf(stage), `${stage.stage}: ${wordFor(stage)}${score}`);
}

function stateOf(stage: StageView): string {
  if (stage.reason === 'superseded') return 'superseded';
  return stage.status === 'finished' ? (stage.result ?? 'none') : stage.status;
}

function wordFor(stage: StageView): string {
  if (stage.reason === 'superseded') return 'superseded';
  if (stage.status !== 'finished') return stage.status === 'triggered' ? 'next in line' : stage.status;
  return { pass: 'passed', warning: 'warning', fail: 'failed' }[stage.result ?? 'fail'];
}
