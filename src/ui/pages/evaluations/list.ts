import type { FleetService, FleetStage } from '../../../views/fleet.ts';
import { type Html, html } from '../../html.ts';
import { sayScoreExactly } from '../../parts/criteria.ts';
import { emptyState } from '../../parts/notice.ts';
import { sparkline } from '../../parts/sparkline.ts';
import { stateMark } from '../../parts/state.ts';
import { ago } from '../../parts/time.ts';
import { evaluationsAddress } from './address.ts';
import { RESULT_STATES } from './breakdown.ts';

export interface EvaluationsIndex {
  /** Those of this page, in order. */
  services: readonly FleetService[];
  /** Services that match the filters. */
  total: number;
  q?: string;
  project?: string;
  /** Where this page begins; absent: it is the first. */
  cursor?: string;
  /** Where the next one does; absent: there is none. */
  next?: string;
  now: string;
}

/** Services and stages with the last score of each. */
export function evaluationsIndex(index: EvaluationsIndex): Html {
  const { services, total, q = '', project, cursor, next, now } = index;
  const rows = services.flatMap((service) => evaluated(service).map((stage, at) => row(service, stage, at, now)));
  const table = html`<table class="stack"><caption class="unseen">Services by stage</caption><thead><tr><th scope="col">Service</th><th scope="col">Stage</th><th scope="col">Last evaluation</th><th scope="col">Scores</th><th scope="col">When</th></tr></thead><tbody>${rows}</tbody></table>`;
  const links = [
    cursor === undefined ? undefined : html`<a href="${address(index)}" rel="first">‹ first page</a> `,
    next === undefined ? undefined : html`<a href="${address(index, next)}" rel="next">next page ›</a>`,
  ];
  return html`<h1>Evaluations</h1>
<div class="controls"><form method="get" action="/evaluations">${project === undefined ? undefined : html`<input type="hidden" name="project" value="${project}">`}<label class="choose"><span>named</span> <input name="q" value="${q}" maxlength="200" autocomplete="off" spellcheck="false" placeholder="service, project, team"></label> <button>Show</button></form>
${project === undefined ? undefined : html`<p>Only project <b>${project}</b> · <a href="/evaluations">all projects</a></p>`}</div>
${rows.length === 0 ? empty(q, project) : table}
<nav class="pager" aria-label="Pages"><span>${total} ${total === 1 ? 'service' : 'services'}</span> ${links}</nav>`;
}

function address({ q, project }: EvaluationsIndex, cursor?: string): string {
  const said = Object.entries({ q, project, cursor }).filter(([, value]) => value !== undefined && value !== '');
  return `/evaluations?${new URLSearchParams(said as [string, string][])}`;
}

function evaluated({ stages }: FleetService): FleetStage[] {
  return stages.filter(({ evaluation }) => evaluation !== undefined);
}

function row(service: FleetService, { stage, evaluation, scores }: FleetStage, at: number, now: string): Html {
  const { project, service: name } = service;
  const address = evaluationsAddress({ project, stage, service: name });
  const { state, word } = RESULT_STATES[evaluation?.result ?? 'errored'];
  const said = evaluation?.score === undefined ? word : `${word}, ${sayScoreExactly(evaluation.score)}`;
  return html`<tr data-k="e-${project}/${stage}/${name}"><th scope="row">${at === 0 ? html`${name} <span class="quiet">${project}</span>` : html`<span class="unseen">${name}</span>`}</th><td data-label="Stage"><a href="${address}" data-k="a-${project}/${stage}/${name}">${stage}<span class="unseen">, evaluations of ${name}</span></a></td><td data-label="Last">${stateMark(state, said)}</td><td data-label="Scores">${sparkline(scores.map((score) => score ?? undefined))}</td><td data-label="When">${evaluation === undefined ? undefined : ago(evaluation.at, now)}</td></tr>`;
}

function empty(q: string, project: string | undefined): Html {
  if (q !== '' || project !== undefined)
    return emptyState('No evaluation matches', html`<p><a href="/evaluations">All evaluations</a></p>`);
  return emptyState(
    'No evaluation yet',
    html`<p>A change is evaluated when it has been tested: add <code>evaluation: {slo: slo.yaml}</code> to a stage in delivery.yaml. <code>POST /api/v1/evaluations</code> asks for one at any time.</p>`,
  );
}

/** Several projects have such a service: nobody is shown one by chance. */
export function choosePlace(service: string, stage: string, projects: readonly string[]): Html {
  return html`<h1>${service} in ${stage}</h1><p>Several projects have one:</p><ul>${projects.map((project) => html`<li><a href="${evaluationsAddress({ project, stage, service })}">${project}</a></li>`)}</ul>`;
}

export function noSuchPlace(service: string, stage: string): Html {
  return html`<h1>No evaluation of ${service} in ${stage}</h1><p>Nothing was evaluated under this name. <a href="/evaluations?q=${encodeURIComponent(service)}">Look for ${service}</a></p>`;
}
