import type { State } from '../../../answers/change-row.ts';
import type { StageView } from '../../../views/change.ts';
import { type Html, html, joined, link } from '../../html.ts';
import { sayScore } from '../../parts/number.ts';
import { shortCommit } from '../../parts/reference.ts';
import { stateMark, stateOfResult } from '../../parts/state.ts';
import { minute } from '../../parts/time.ts';
import { promotionLines, reviewLine } from './promotions.ts';

/** A stage in a few words: `✓ staging: passed, 96`. `moving`: what it waits for comes by itself. */
export function stageLine(stage: StageView, moving: boolean = false): Html {
  const score = stage.score === undefined ? '' : `, ${sayScore(stage.score)}`;
  if (moving && stage.status === 'waiting') return stateMark('running', `${stage.stage}: running`);
  return stateMark(stageState(stage), `${stage.stage}: ${wordFor(stage)}${score}`);
}

function stageState(stage: StageView): State {
  if (stage.reason === 'superseded') return 'superseded';
  return stateOfResult(stage.status === 'finished' ? (stage.result ?? 'none') : stage.status);
}

function wordFor(stage: StageView): string {
  if (stage.reason === 'superseded') return 'superseded';
  if (stage.status !== 'finished') return stage.status === 'triggered' ? 'next in line' : stage.status;
  const word = { pass: 'passed', warning: 'warning', fail: 'failed' }[stage.result ?? 'fail'];
  if (stage.rollsBack) return `rollback ${word}`;
  return stage.rollback ? `${word}, ${AFTERWARDS[stage.rollback.state].word}` : word;
}

const AFTERWARDS: Readonly<Record<NonNullable<StageView['rollback']>['state'], { state: State; word: string }>> = {
  'under way': { state: 'running', word: 'going back' },
  done: { state: 'passed', word: 'rolled back' },
  failed: { state: 'failed', word: 'ROLLBACK FAILED' },
  'not done': { state: 'warning', word: 'not rolled back' },
};

/** What is known of a delivery to a stage besides its steps. */
export function stageFacts(stage: StageView): Html {
  const { message, override, asked, paused, rollback, rollsBack, pullRequest } = stage;
  const said = stage.tasks.some((task) => task.message === message);
  return html`<p class="fact quiet">${facts(stage)}</p>
${message === undefined || said ? undefined : html`<p class="message">${message}</p>`}
${override ? html`<p class="message">Let through by ${override.actor}, past checks and approval, ${minute(override.at)}: ${override.reason}</p>` : undefined}
${asked ? html`<p class="message">${asked.actor} asked to ${asked.what === 'rollback' ? 'go back from it' : 'deliver it after all'}, once it was over: ${asked.reason}</p>` : undefined}
${paused ? html`<p class="message">${stateMark('waiting', 'Paused')} by ${paused.actor}: ${paused.reason}</p>` : undefined}
${rollback ? html`<p class="message">${stateMark(AFTERWARDS[rollback.state].state, AFTERWARDS[rollback.state].word)}${rollback.to === undefined ? undefined : html` to ${shortCommit(rollback.to)}`}</p>` : undefined}
${rollsBack ? html`<p class="message">Takes back ${shortCommit(rollsBack.revision)}, which failed here, and brings back ${shortCommit(rollsBack.to)} (pull request ${rollsBack.pullRequest}).</p>` : undefined}
${pullRequest ? html`<p class="fact">Pull request ${link(pullRequest.url, String(pullRequest.number))} to ${pullRequest.to}, with the diff of the manifests</p>` : undefined}
${promotionLines(stage.promotions ?? [])}
${(stage.reviews ?? []).map(reviewLine)}`;
}

function facts(stage: StageView): Html {
  return joined([
    commitFacts(stage),
    link(`/api/v1/events?stream=sequence/${encodeURIComponent(stage.sequence.toWellFormed())}`, 'events'),
  ]);
}

/** What is delivered, as people know it: their own commit before the hydrated one, and every source of several. */
function commitFacts({ revision, revisions, drySha }: StageView): Html {
  if (revisions !== undefined) return html`revisions ${joined(revisions.map(shortCommit), ' ')}`;
  if (drySha === undefined) return html`commit ${shortCommit(revision)}`;
  return html`commit ${shortCommit(drySha)}, hydrated as ${shortCommit(revision)}`;
}
