import { capital } from '../../../answers/words.ts';
import type { Evaluation, IndicatorResult } from '../../../slo/evaluation.ts';
import type { ChangeView, StageView } from '../../../views/change.ts';
import type { Frame } from '../../frame.ts';
import { type Html, html } from '../../html.ts';
import { sayCriteria } from '../../parts/criteria.ts';
import { sayScore, withUnit } from '../../parts/number.ts';
import { shortCommit } from '../../parts/reference.ts';
import { stateMark, stateOfResult } from '../../parts/state.ts';
import { decisionForm, type Typed } from './form.ts';
import { whyNotDecide } from './may.ts';

export interface DecisionOptions {
  rev?: number;
  typed?: Typed;
  /** How earlier changes ended that the gate warned of in the same way. */
  warnedBefore?: string;
  /** More than one stage waits for a decision. */
  several?: boolean;
}

/** What waits for a decision in a stage, what it rests on, and what it binds. */
export function decisionCard(
  frame: Frame,
  change: ChangeView,
  stage: StageView,
  options: DecisionOptions,
): Html | undefined {
  const { decide } = stage;
  if (!decide) return undefined;
  const evaluation = evaluationOf(change, stage);
  const { rev } = options;
  const bound = {
    ...{
      change,
      stage: stage.stage,
      revision: decide.revision,
      evidence: decide.evidence,
      seen: seenOf(stage, evaluation),
    },
    ...(rev === undefined ? {} : { rev }),
  };
  const choices = [
    { verdict: 'approve', text: sayApproval(stage, decide), main: true },
    { verdict: 'reject', text: 'Reject' },
  ];
  const who = decide.groups.length > 0 ? ` of ${decide.groups.join(' or ')}` : '';
  const quorum = decide.quorum > 1 ? ` ${decide.quorum} are needed.` : '';
  return html`<section class="card"><h2>Your decision${options.several ? ` for ${stage.stage}` : ''}</h2>
<p><b>It waits for a decision${who}.</b>${quorum}</p>
${evaluation === undefined ? undefined : basis(evaluation)}
${options.warnedBefore === undefined ? undefined : html`<p>${capital(options.warnedBefore)}.</p>`}
${decisionForm(frame, bound, choices, { typed: options.typed, why: whyNotDecide(frame, change, stage, decide) })}
<p class="quiet">It binds commit ${shortCommit(decide.revision)}, evidence <code title="${decide.evidence}">${decide.evidence.slice(0, 8)}</code>${rev === undefined ? undefined : `, revision ${rev} of this change`}. If any of it changes meanwhile, nothing is decided.</p></section>`;
}

function sayApproval(stage: StageView, decide: NonNullable<StageView['decide']>): string {
  const { number = '', to = '' } = stage.pullRequest ?? {};
  return {
    approval: `Approve for ${stage.stage}`,
    promotion: `Merge pull request ${number} to ${to}`,
    rollback: `Roll back: merge pull request ${number}`,
  }[decide.what];
}

/** The newest one of the stage; before it was deployed there, that of the stage before. */
function evaluationOf(change: ChangeView, stage: StageView): Evaluation | undefined {
  const at = change.stages.indexOf(stage);
  const tasks = change.stages.slice(0, at + 1).flatMap((one) => one.tasks);
  return tasks.map(({ data }) => (data as { evaluation?: Evaluation }).evaluation).findLast((one) => one !== undefined);
}

/** The score, and what missed its target first. */
function basis({ score, thresholds, indicators }: Evaluation): Html {
  const needs = thresholds.warning === undefined ? '' : `, warn ${thresholds.warning}`;
  const rank = { fail: 0, warning: 1, pass: 2, info: 3 };
  const shown = indicators.toSorted((a, b) => rank[a.status] - rank[b.status]).slice(0, MOST_INDICATORS);
  const more = indicators.length - shown.length;
  return html`<p>Score <b>${sayScore(score)} of 100</b>. Pass ${thresholds.pass}${needs}.</p>
<ul class="plain">${shown.map((one) => html`<li>${indicatorLine(one)}</li>`)}${more > 0 ? html`<li class="quiet">and ${more} more</li>` : undefined}</ul>`;
}

const MOST_INDICATORS = 5;

function indicatorLine({ status, displayName, sli, value, unit, passTargets }: IndicatorResult): Html {
  const wanted = passTargets.length === 0 ? '' : ` (${sayCriteria(passTargets.map(({ criteria }) => criteria))})`;
  return html`${stateMark(stateOfResult(status), displayName || sli)} ${value === undefined ? 'no value' : withUnit(value, unit)}${wanted}`;
}

function seenOf(stage: StageView, evaluation: Evaluation | undefined): string {
  const score = evaluation === undefined ? '' : `, score ${sayScore(evaluation.score)} of 100`;
  const given = stage.tasks.flatMap((task) => task.decisions.map(({ actor, verdict }) => `${actor}: ${verdict}`));
  return `${stage.stage}: ${stage.status}${score}${given.length === 0 ? '' : `, ${given.join(', ')}`}`;
}
