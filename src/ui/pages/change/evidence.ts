import type { State } from '../../../answers/change-row.ts';
import type { CheckAnswer } from '../../../engine/check.ts';
import type { Evaluation } from '../../../slo/evaluation.ts';
import type { ChangeView, TaskView } from '../../../views/change.ts';
import { breakdown } from '../../../views/evaluation-breakdown.ts';
import { type Html, html } from '../../html.ts';
import { sayNumber, sayScore } from '../../parts/number.ts';
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
  const reports = testReports(task);
  if (reports.length > 0) return html`${decisions}${reports.map(tested)}`;
  if (Array.isArray(answers)) return html`${decisions}<ul class="plain answers">${answers.map(answerItem)}</ul>`;
  const elsewhere = isJobThatFailed(task) ? html`<p class="quiet">${JOB_LOG}</p>` : undefined;
  return decisions.length === 0 && !elsewhere ? undefined : html`${decisions}${elsewhere}`;
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

const JOB_LOG = 'Lynceus reads no logs of the cluster: that of the Job is beside it in Argo CD, or in kubectl logs.';

function isJobThatFailed({ name, result, message = '' }: TaskView): boolean {
  return result === 'fail' && ['sync', 'rollout', 'rollback'].includes(name) && /\bJob\b/.test(message);
}

interface Tested {
  kind?: string;
  path?: string;
  passed?: boolean;
  failures?: string[];
  indicators?: Record<string, number>;
}

/** As many lines as a person reads of something that failed. */
const MAX_OUTPUT = 40;
const MAX_REPORTS = 20;
const MAX_FIGURES = 12;

function testReports({ name, data }: TaskView): Tested[] {
  const { reports } = data as { reports?: unknown };
  return name === 'test' && Array.isArray(reports) ? (reports as Tested[]).slice(0, MAX_REPORTS) : [];
}

/** What a test measured, and in its own words where it failed. */
function tested({ kind = 'test', path = '', passed = false, failures = [], indicators = {} }: Tested): Html {
  const figures = Object.entries(indicators).slice(0, MAX_FIGURES);
  const output = failures.flatMap((failure) => failure.split('\n'));
  const more = output.length - MAX_OUTPUT;
  return html`<p>${stateMark(passed ? 'passed' : 'failed', `${kind} ${path}`)}${figures.length === 0 ? undefined : html` <span class="quiet">${figures.map(([name, value]) => `${words(name.replaceAll('_', ' '))} ${sayNumber(value)}`).join(' · ')}</span>`}</p>
${output.length === 0 ? undefined : html`<pre class="output" tabindex="0">${output.slice(-MAX_OUTPUT).join('\n')}</pre>`}${more > 0 ? html`<p class="quiet">the last ${MAX_OUTPUT} of ${output.length} lines</p>` : undefined}`;
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
