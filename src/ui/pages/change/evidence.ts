import type { State } from '../../../answers/change-row.ts';
import type { CheckAnswer } from '../../../engine/check.ts';
import type { Evaluation } from '../../../slo/evaluation.ts';
import type { ChangeView, TaskView } from '../../../views/change.ts';
import { breakdown } from '../../../views/evaluation-breakdown.ts';
import { type Html, html } from '../../html.ts';
import { sayScore } from '../../parts/number.ts';
import { riskPanel } from '../../parts/risk.ts';
import { stateMark } from '../../parts/state.ts';
import { minute } from '../../parts/time.ts';
import { evaluationsAddress } from '../evaluations/address.ts';
import { breakdownTable } from '../evaluations/breakdown.ts';

/** What a step was decided by, in numbers; `undefined`: it left none. */
export function evidence(change: ChangeView, stage: string, task: TaskView): Html | undefined {
  const { evaluation, answers } = task.data as { evaluation?: Evaluation; answers?: CheckAnswer[] };
  const decisions = task.decisions.map(decision);
  if (evaluation) return html`${decisions}${evaluated(change, stage, task, evaluation)}`;
  if (Array.isArray(answers)) return html`${decisions}<ul class="plain answers">${answers.map(answerItem)}</ul>`;
  return decisions.length === 0 ? undefined : html`${decisions}`;
}

/** The figures of a step in a few words, where its line has room for them: `82 of 100`, `risk: needs approval`. */
export function inShort({ data }: TaskView): string | undefined {
  const { evaluation, answers } = data as { evaluation?: Evaluation; answers?: CheckAnswer[] };
  if (evaluation) return `${sayScore(evaluation.score)} of 100`;
  if (!Array.isArray(answers)) return undefined;
  return answers.map(({ check, answer }) => `${words(check)}: ${words(answer)}`).join(' · ');
}

const PAST: Readonly<Record<string, string>> = { approve: 'approved', reject: 'rejected', sync: 'asked to sync' };

function decision({ actor, verdict, reason, at }: TaskView['decisions'][number]): Html {
  return html`<p class="message">${actor} ${PAST[verdict] ?? verdict} this, ${minute(at)}: ${reason}</p>`;
}

function evaluated(change: ChangeView, stage: string, task: TaskView, evaluation: Evaluation): Html {
  const { score, thresholds, compared } = evaluation;
  const { project, service, id } = change;
  const needs =
    thresholds.warning === undefined ? `${thresholds.pass}` : `${thresholds.pass}, warning from ${thresholds.warning}`;
  const view = {
    ...{ id: task.task, project, stage, service, context: id, state: 'finished' as const, evaluation },
    ...(task.result === undefined ? {} : { result: task.result }),
  };
  const before = compared.length === 0 ? 'nothing earlier to compare with' : `compared with ${compared.length} earlier`;
  return html`${task.invalidated ? invalidatedLine(task.invalidated) : undefined}
<p>Score <b>${sayScore(score)} of 100</b> (pass from ${needs}), ${before}. <a href="${evaluationsAddress({ project, stage, service }, { e: task.task })}">All evaluations</a></p>
${breakdownTable(breakdown(view), undefined, false)}`;
}

function invalidatedLine({ actor, reason, at }: NonNullable<TaskView['invalidated']>): Html {
  return html`<p class="message">${stateMark('warning', 'not compared with any more')}: ${actor} invalidated it, ${minute(at)}: ${reason}</p>`;
}

const STATES: Readonly<Record<CheckAnswer['answer'], State>> = {
  pass: 'passed',
  'needs-approval': 'warning',
  deny: 'failed',
  unknown: 'failed',
};

function answerItem(answer: CheckAnswer): Html {
  if (answer.check === 'risk') return html`<li>${riskPanel(answer)}</li>`;
  const mark = stateMark(STATES[answer.answer] ?? 'failed', `${words(answer.check)}: ${words(answer.answer)}`);
  return html`<li>${mark}${answer.reasons.length > 0 ? ` · ${answer.reasons.join(' · ')}` : ''}</li>`;
}

function words(name: string): string {
  return name.replaceAll('-', ' ');
}
