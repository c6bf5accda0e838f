import { sayDuration } from '../base/duration.ts';
import type { CheckAnswer } from '../engine/check.ts';
import type { Evaluation, IndicatorResult } from '../slo/evaluation.ts';
import type { ChangeView, StageView, TaskView } from '../views/change.ts';
import { stageMark } from './changes-page.ts';
import { type Html, html, link } from './html.ts';
import { mark, moment, page, shortCommit } from './layout.ts';

/** One change: its journey with the evidence, and the decision when there is one to take. */
export function changePage(change: ChangeView, notice?: string): string {
  const moving = change.stages.some((stage) => stage.status !== 'finished');
  const deciding = change.stages.some((stage) => stage.decide !== undefined);
  const body = html`<h1>${change.service} ${shortCommit(change.revision)}</h1>
<p>${change.summary}</p>
<p class="quiet">${change.project} · change <code>${change.id}</code> · last moved ${moment(change.updatedAt)}</p>
${notice === undefined ? undefined : html`<p role="alert" class="state fail">${notice}</p>`}
${change.stages.map((stage) => stageSection(change, stage))}`;
  // A page that reloads would take away what somebody is typing.
  return page(
    `${change.service} ${change.revision.slice(0, 8)}`,
    body,
    moving && !deciding ? { refreshSeconds: 5 } : {},
  );
}

function stageSection(change: ChangeView, stage: StageView): Html {
  const pullRequest = stage.pullRequest;
  return html`<section class="stage" aria-labelledby="${stage.sequence}">
<h2 id="${stage.sequence}">${stageMark(stage)}</h2>
<p class="quiet">commit ${shortCommit(stage.revision)} · since ${moment(stage.triggeredAt)}${stage.finishedAt === undefined ? '' : html` · took ${sayDuration(Date.parse(stage.finishedAt) - Date.parse(stage.triggeredAt))}`} · ${link(`/api/v1/events?stream=sequence/${stage.sequence}`, 'events')}</p>
${stage.message === undefined ? undefined : html`<p class="message">${stage.message}</p>`}
${pullRequest ? html`<p>Pull request ${link(pullRequest.url, String(pullRequest.number))} to ${pullRequest.to}</p>` : undefined}
<ol class="tasks">${stage.tasks.map(taskItem)}</ol>
${stage.decide ? decisionForm(change, stage, stage.decide) : undefined}
</section>`;
}

function taskItem(task: TaskView): Html {
  const state = task.result ?? (task.waitingFor ? 'waiting' : 'running');
  const took =
    task.finishedAt === undefined
      ? undefined
      : html` <span class="quiet">${sayDuration(Date.parse(task.finishedAt) - Date.parse(task.triggeredAt))}</span>`;
  const sentence = task.message ?? task.progress?.sentence ?? task.waitingFor?.sentence ?? '';
  return html`<li>${mark(state, task.name)}${took}
<p class="message">${sentence}${task.waitingFor?.until === undefined ? undefined : html` until ${moment(task.waitingFor.until)}`}</p>
${task.decisions.map(({ actor, verdict, reason, at }) => html`<p class="quiet">${verdict} by ${actor}, ${moment(at)}: ${reason}</p>`)}
${evidence(task)}</li>`;
}

function evidence({ data }: TaskView): Html | undefined {
  const { evaluation, answers } = data as { evaluation?: Evaluation; answers?: CheckAnswer[] };
  if (evaluation) return indicatorTable(evaluation);
  if (!answers) return undefined;
  return html`<ul>${answers.map(({ check, answer, reasons }) => html`<li>${check}: ${answer}${reasons.length > 0 ? `. ${reasons.join('; ')}` : ''}</li>`)}</ul>`;
}

function indicatorTable({ indicators, thresholds, score }: Evaluation): Html {
  const needs =
    thresholds.warning === undefined ? `${thresholds.pass}` : `${thresholds.pass}, warning from ${thresholds.warning}`;
  return html`<details open><summary>Score ${number(score)} of 100 (pass from ${needs})</summary>
<div class="scroll"><table><thead><tr><th scope="col">Indicator</th><th scope="col" class="number">Value</th><th scope="col" class="number">Before</th><th scope="col">Pass if</th><th scope="col" class="number">Points</th></tr></thead>
<tbody>${indicators.map(indicatorRow)}</tbody></table></div></details>`;
}

function indicatorRow(row: IndicatorResult): Html {
  const criteria = row.passTargets.map((target) => `${target.criteria}${target.violated ? ' ✕' : ''}`).join(', ');
  return html`<tr><td>${mark(row.status === 'info' ? 'none' : row.status, row.displayName)}${row.keySli ? ' (key)' : ''}</td>
<td class="number">${row.value === undefined ? (row.message ?? 'no value') : number(row.value)}</td>
<td class="number">${row.comparedValue === undefined ? '' : number(row.comparedValue)}</td>
<td>${criteria}</td><td class="number">${number(row.score)} of ${row.weight}</td></tr>`;
}

/** For people: four significant digits. Decisions are made on the exact value. */
function number(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function decisionForm(change: ChangeView, stage: StageView, decide: NonNullable<StageView['decide']>): Html {
  const what =
    decide.what === 'promotion'
      ? `Merge pull request ${stage.pullRequest?.number ?? ''} to ${stage.pullRequest?.to ?? ''}`
      : `Approve for ${stage.stage}`;
  const who = decide.groups.length > 0 ? ` by ${decide.groups.join(' or ')}` : '';
  return html`<form class="decide" method="post" action="/changes/${encodeURIComponent(change.id)}/decisions">
<p>Your decision${who}${decide.quorum > 1 ? `, ${decide.quorum} are needed` : ''}. It is bound to commit ${shortCommit(decide.revision)} and to what this page shows.</p>
<input type="hidden" name="stage" value="${stage.stage}"><input type="hidden" name="revision" value="${decide.revision}"><input type="hidden" name="evidence" value="${decide.evidence}">
<label>Reason <input name="reason" required maxlength="2000" autocomplete="off"></label>
<button class="main" name="verdict" value="approve">${what}</button>
<button name="verdict" value="reject">Reject</button>
</form>`;
}
