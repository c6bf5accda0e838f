import type { ChangeView, StageView } from '../../../views/change.ts';
import type { Frame } from '../../frame.ts';
import { type Html, html } from '../../html.ts';
import { shortCommit } from '../../parts/reference.ts';
import type { DecisionOptions } from './decision.ts';
import { type Bound, type Choice, decisionForm } from './form.ts';
import { whyNotOperate } from './may.ts';

/** What operators can do with a delivery to a stage, out of the way: most changes need none of it. */
export function stageActions(
  frame: Frame,
  change: ChangeView,
  stage: StageView,
  options: DecisionOptions,
): Html | undefined {
  const forms = [courseForm(frame, change, stage, options), rollBackForm(frame, change, stage, options)].filter(
    (form) => form !== undefined,
  );
  if (forms.length === 0) return undefined;
  const isTyped = options.typed?.stage === stage.stage && !['approve', 'reject'].includes(options.typed.verdict ?? '');
  return html`<details class="card"${isTyped || stage.canBeSynced ? html` open` : undefined}><summary>Other actions in ${stage.stage}</summary>${forms}</details>`;
}

function courseForm(frame: Frame, change: ChangeView, stage: StageView, options: DecisionOptions): Html | undefined {
  const choices = courses(stage);
  if (choices.length === 0) return undefined;
  const intro = html`<ul class="quiet">${choices.map(({ verdict }) => html`<li>${EXPLAINED[verdict]}</li>`)}</ul>`;
  return decisionForm(frame, bound(change, stage, stage.revision, options), choices, {
    ...{ intro, typed: options.typed, why: whyNotOperate(frame, change) },
  });
}

const EXPLAINED: Readonly<Record<string, string>> = {
  pause: 'Pause: what runs ends, nothing new begins.',
  resume: 'Resume: it goes on where it was paused.',
  abort: 'Abort: this delivery ends here; nothing is rolled back.',
  override: 'Override: let the commit through, whatever checks and gate say. Your name stays with it.',
  sync: 'Sync now: the delivery system does not sync this by itself; it is asked to, once, for this commit.',
  retry: 'Promote again: a new pull request, where the last one was not merged.',
};

function courses(stage: StageView): Choice[] {
  const isOver = stage.status === 'finished';
  const isThrough = stage.tasks.some(({ name }) => name === 'sync');
  const canOverride = isOver ? stage.result === 'fail' && stage.reason !== 'superseded' : !isThrough && !stage.override;
  return [
    ...(stage.canBeSynced ? [{ verdict: 'sync', text: 'Sync now', main: true }] : []),
    ...(isOver ? [] : stage.paused ? [{ verdict: 'resume', text: 'Resume' }] : [{ verdict: 'pause', text: 'Pause' }]),
    ...(isOver ? [] : [{ verdict: 'abort', text: 'Abort' }]),
    ...(canOverride ? [{ verdict: 'override', text: 'Override' }] : []),
    ...(stage.canBeTakenUp ? [{ verdict: 'retry', text: 'Promote again' }] : []),
  ];
}

const WAYS: Readonly<Record<string, string>> = {
  sync: 'by a sync of the last good commit',
  pullRequest: 'by a pull request that reverts it',
};

function rollBackForm(frame: Frame, change: ChangeView, stage: StageView, options: DecisionOptions): Html | undefined {
  const back = stage.rollBack;
  if (!back) return undefined;
  const who = back.groups.length > 0 ? ` ${back.groups.join(' or ')} may do that.` : '';
  const ways = back.ways.map((way) => html`<option value="${way}">${WAYS[way] ?? way}</option>`);
  const intro = html`<p>Takes ${stage.stage} back from commit ${shortCommit(back.revision)} to the last one that was good there.${who}</p>`;
  const more = ways.length > 0 ? html`<label>How <select name="by">${ways}</select></label>` : undefined;
  const bind = { ...bound(change, stage, back.revision, options), evidence: back.evidence };
  return decisionForm(frame, bind, [{ verdict: 'rollback', text: `Roll back ${stage.stage}` }], {
    ...{ intro, more, typed: options.typed, why: whyNotOperate(frame, change) },
  });
}

function bound(change: ChangeView, stage: StageView, revision: string, { rev }: DecisionOptions): Bound {
  const seen = `${stage.stage}: ${stage.status}${stage.result === undefined ? '' : `, ${stage.result}`}`;
  return { change, stage: stage.stage, revision, seen, ...(rev === undefined ? {} : { rev }) };
}
