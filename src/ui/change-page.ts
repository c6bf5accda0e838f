import { sayDuration } from '../base/duration.ts';
import type { CheckAnswer } from '../engine/check.ts';
import type { Evaluation, IndicatorResult } from '../slo/evaluation.ts';
import type { ChangeView, StageView, TaskView } from '../views/change.ts';
import { listAddress, mark, stageLine } from './changes-page.ts';
import type { Frame } from './frame.ts';
import { type Html, html, link } from './html.ts';
import { page } from './layout.ts';
import { sayScore } from './parts/number.ts';
import { shortCommit } from './parts/reference.ts';
import { minute, moment } from './parts/time.ts';
import { promotionLines, retryForm } from './promotions.ts';

/** Shorter than this, how long something took tells nobody anything. */
const LEAST_MS = 1_000;

/** One change: its journey with the evidence, and the decision when there is one to take. */
export function changePage(frame: Frame, change: ChangeView, notice?: string): string {
  const body = html`<h1>${change.service} ${shortCommit(change.revision)}</h1>
<p class="lead">${change.summary}</p>
<ol class="stages journey">${change.stages.map((stage) => html`<li><a href="#${stage.sequence}">${stageLine(stage)}</a></li>`)}</ol>
<p class="quiet"><a href="${listAddress({ project: change.project })}">${change.project}</a> · <a href="${listAddress({ project: change.project, service: change.service })}">other changes of ${change.service}</a> · change <code>${change.id}</code> · last moved ${moment(change.updatedAt)}</p>
${notice === undefined ? undefined : html`<p role="alert" class="state fail">${notice}</p>`}
${change.stages.map((stage, at) => stageSection(change, stage, at === change.stages.length - 1)).reverse()}`;
  return page(frame, `${change.service} ${change.revision.slice(0, 8)}`, body);
}

/** The newest stage stands first and open; what went well before is there to be opened. */
function stageSection(change: ChangeView, stage: StageView, newest: boolean): Html {
  const open = newest || stage.status !== 'finished' || stage.result === 'fail';
  return html`<section class="stage ${stage.decide ? 'now' : ''}" id="${stage.sequence}">
<details ${open ? 'open' : ''}><summary><h2>${stageLine(stage)}</h2></summary>
${stage.decide ? decisionForm(change, stage, stage.decide) : undefined}
${stageFacts(stage)}
${stage.canBeTakenUp ? retryForm(change, stage) : undefined}
${stage.rollBack ? rollBackForm(change, stage, stage.rollBack) : undefined}
<ol class="tasks">${stage.tasks.toReversed().map(taskItem)}</ol>
</details>
</section>`;
}

/** What is delivered, as people know it: their own commit before the hydrated one, and every source of several. */
function commitFacts({ revision, revisions, drySha }: StageView): Html {
  if (revisions !== undefined) return html`revisions ${revisions.map((each) => html`${shortCommit(each)} `)}`;
  if (drySha === undefined) return html`commit ${shortCommit(revision)}`;
  return html`commit ${shortCommit(drySha)}, hydrated as ${shortCommit(revision)}`;
}

function stageFacts(stage: StageView): Html {
  const { pullRequest, finishedAt, message } = stage;
  const took = finishedAt === undefined ? 0 : Date.parse(finishedAt) - Date.parse(stage.triggeredAt);
  const said = stage.tasks.some((task) => task.message === message);
  return html`<p class="facts quiet">${commitFacts(stage)} · since ${minute(stage.triggeredAt)}${took < LEAST_MS ? '' : ` · took ${sayDuration(took)}`} · ${link(`/api/v1/events?stream=sequence/${encodeURIComponent(stage.sequence)}`, 'events')}</p>
${message === undefined || said ? undefined : html`<p class="message">${message}</p>`}
${stage.override ? html`<p class="message">Let through by ${stage.override.actor}, past checks and approval, ${minute(stage.override.at)}: ${stage.override.reason}</p>` : undefined}
${stage.asked ? html`<p class="message">${stage.asked.actor} asked to ${stage.asked.what === 'rollback' ? 'go back from it' : 'deliver it after all'}, once it was over: ${stage.asked.reason}</p>` : undefined}
${stage.paused ? html`<p class="message">Paused by ${stage.paused.actor}: ${stage.paused.reason}</p>` : undefined}
${stage.rollback ? html`<p class="message">${mark(ROLLBACK_STATES[stage.rollback.state], ROLLBACK_WORDS[stage.rollback.state])}${stage.rollback.to === undefined ? undefined : html` to ${shortCommit(stage.rollback.to)}`}</p>` : undefined}
${stage.rollsBack ? html`<p class="message">Takes back ${shortCommit(stage.rollsBack.revision)}, which failed here, and brings back ${shortCommit(stage.rollsBack.to)} (pull request ${stage.rollsBack.pullRequest}).</p>` : undefined}
${pullRequest ? html`<p class="facts">Pull request ${link(pullRequest.url, String(pullRequest.number))} to ${pullRequest.to}</p>` : undefined}
${promotionLines(stage.promotions ?? [])}
${(stage.reviews ?? []).map(reviewLine)}`;
}

/** Nothing can be decided here about what people review elsewhere. */
function reviewLine({ number, url, to, head }: NonNullable<StageView['reviews']>[number]): Html {
  return html`<p class="message"><b>It waits for a review at its Git host.</b> Approve commit ${shortCommit(head)} for ${to} there: ${link(url, `pull request ${number}`)}</p>`;
}

type RollbackState = NonNullable<StageView['rollback']>['state'];
const ROLLBACK_STATES: Readonly<Record<RollbackState, string>> = {
  'under way': 'running',
  done: 'pass',
  failed: 'fail',
  'not done': 'warning',
};
const ROLLBACK_WORDS: Readonly<Record<RollbackState, string>> = {
  'under way': 'going back',
  done: 'rolled back',
  failed: 'ROLLBACK FAILED',
  'not done': 'not rolled back',
};

function taskItem(task: TaskView): Html {
  const state = task.result ?? (task.waitingFor ? 'waiting' : 'running');
  const ms = task.finishedAt === undefined ? 0 : Date.parse(task.finishedAt) - Date.parse(task.triggeredAt);
  const sentence = task.message ?? task.progress?.sentence ?? task.waitingFor?.sentence ?? '';
  return html`<li>${mark(state, task.name)}${ms < LEAST_MS ? undefined : html` <span class="quiet">${sayDuration(ms)}</span>`}
<p class="message">${sentence}${task.waitingFor?.until === undefined ? undefined : html`, until ${minute(task.waitingFor.until)}`}</p>
${task.decisions.map(({ actor, verdict, reason, at }) => html`<p class="message quiet">${actor} ${PAST[verdict] ?? verdict} this, ${minute(at)}: ${reason}</p>`)}
${evidence(task)}</li>`;
}

const PAST: Readonly<Record<string, string>> = { approve: 'approved', reject: 'rejected' };

function evidence({ data, invalidated }: TaskView): Html | undefined {
  const { evaluation, answers } = data as { evaluation?: Evaluation; answers?: CheckAnswer[] };
  if (evaluation) return html`${invalidated ? invalidatedLine(invalidated) : undefined}${indicatorTable(evaluation)}`;
  return answers ? html`<ul class="answers">${answers.map(answerItem)}</ul>` : undefined;
}

function invalidatedLine({ actor, reason, at }: NonNullable<TaskView['invalidated']>): Html {
  return html`<p class="message">${mark('warning', 'not compared with any more')}: ${actor} invalidated it, ${minute(at)}: ${reason}</p>`;
}

const STATES: Readonly<Record<CheckAnswer['answer'], string>> = {
  pass: 'pass',
  'needs-approval': 'warning',
  deny: 'fail',
  unknown: 'fail',
};

function answerItem({ check, answer, reasons }: CheckAnswer): Html {
  const words = `${check.replaceAll('-', ' ')}: ${answer.replaceAll('-', ' ')}`;
  return html`<li>${mark(STATES[answer] ?? 'fail', words)}${reasons.length > 0 ? ` · ${reasons.join(' · ')}` : ''}</li>`;
}

function indicatorTable({ indicators, thresholds, score }: Evaluation): Html {
  const needs =
    thresholds.warning === undefined ? `${thresholds.pass}` : `${thresholds.pass}, warning from ${thresholds.warning}`;
  return html`<details open><summary>Score ${sayScore(score)} of 100 (pass from ${needs})</summary>
<table class="stack"><thead><tr><th scope="col">Indicator</th><th scope="col" class="number">Value</th><th scope="col" class="number">Before</th><th scope="col">Pass if</th><th scope="col" class="number">Points</th></tr></thead>
<tbody>${indicators.map(indicatorRow)}</tbody></table></details>`;
}

function indicatorRow(row: IndicatorResult): Html {
  const criteria = row.passTargets.map((target) => `${target.criteria}${target.violated ? ' ✕' : ''}`).join(', ');
  const value =
    row.value === undefined
      ? html`<td data-label="Value" class="quiet">${row.message ?? 'no value'}</td>`
      : html`<td data-label="Value" class="number">${withUnit(row.value, row.unit)}${sourcesOf(row)}</td>`;
  return html`<tr><td>${mark(row.status === 'info' ? 'none' : row.status, row.displayName)}${row.keySli ? ' (key)' : ''}</td>
${value}<td data-label="Before" class="number">${row.comparedValue === undefined ? '' : number(row.comparedValue)}${sayChange(row)}</td><td data-label="Pass if">${criteria}${sayControl(row)}</td><td data-label="Points" class="number">${row.status === 'info' ? 'not counted' : `${number(row.score)} of ${row.weight}`}</td></tr>`;
}

function withUnit(value: number, unit: string | undefined): string {
  return unit === undefined ? number(value) : `${number(value)} ${unit}`;
}

/** What a number was put together from. */
function sourcesOf({ sources = [], samples }: IndicatorResult): Html | undefined {
  const parts = [
    ...sources.map(({ provider, value }) => `${provider ?? 'source'} ${number(value)}`),
    ...(samples === undefined ? [] : [`${number(samples)} samples`]),
  ];
  return parts.length === 0 ? undefined : html` <span class="quiet">(${parts.join(', ')})</span>`;
}

function sayChange({ change, regression }: IndicatorResult): string {
  if (change === undefined || change === 0) return '';
  return ` (${change > 0 ? '+' : ''}${number(change)}${regression ? ', worse' : ''})`;
}

function sayControl({ control, passTargets }: IndicatorResult): string {
  if (control === undefined) return '';
  const verdict = `${control.classification} against the control group: ${control.reason}`;
  return passTargets.length === 0 ? verdict : `; ${verdict}`;
}

/** For people: four significant digits. Decisions are made on the exact value. */
function number(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function decisionForm(change: ChangeView, stage: StageView, decide: NonNullable<StageView['decide']>): Html {
  const { number = '', to = '' } = stage.pullRequest ?? {};
  const what = {
    approval: `Approve for ${stage.stage}`,
    promotion: `Merge pull request ${number} to ${to}`,
    rollback: `Roll back: merge pull request ${number}`,
  }[decide.what];
  const who = decide.groups.length > 0 ? ` of ${decide.groups.join(' or ')}` : '';
  const quorum = decide.quorum > 1 ? ` ${decide.quorum} are needed.` : '';
  return html`<form class="decide" method="post" action="/changes/${encodeURIComponent(change.id)}/decisions">
<p><b>It waits for a decision${who}.</b>${quorum} Yours is bound to commit ${shortCommit(decide.revision)} and to what this page shows.</p>
<input type="hidden" name="stage" value="${stage.stage}"><input type="hidden" name="revision" value="${decide.revision}"><input type="hidden" name="evidence" value="${decide.evidence}">
<label>Reason <input name="reason" required maxlength="2000" autocomplete="off"></label>
<button class="main" name="verdict" value="approve">${what}</button>
<button name="verdict" value="reject">Reject</button>
</form>`;
}

const WAYS: Readonly<Record<string, string>> = {
  sync: 'by a sync of the last good commit',
  pullRequest: 'by a pull request that reverts it',
};

/** Out of the way: most changes are not rolled back by hand. */
function rollBackForm(change: ChangeView, stage: StageView, back: NonNullable<StageView['rollBack']>): Html {
  const who = back.groups.length > 0 ? ` ${back.groups.join(' or ')} may do that.` : '';
  const ways = back.ways.map((way) => html`<option value="${way}">${WAYS[way] ?? way}</option>`);
  return html`<details><summary>Roll back</summary><form class="decide" method="post" action="/changes/${encodeURIComponent(change.id)}/decisions">
<p>Takes ${stage.stage} back from commit ${shortCommit(back.revision)} to the last one that was good there.${who}</p>
<input type="hidden" name="stage" value="${stage.stage}"><input type="hidden" name="revision" value="${back.revision}"><input type="hidden" name="evidence" value="${back.evidence}">
${ways.length > 0 ? html`<label>How <select name="by">${ways}</select></label>` : undefined}
<label>Reason <input name="reason" required maxlength="2000" autocomplete="off"></label>
<button name="verdict" value="rollback">Roll back ${stage.stage}</button>
</form></details>`;
}
