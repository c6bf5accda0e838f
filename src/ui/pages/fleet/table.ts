import type { Person } from '../../../answers/change-row.ts';
import type { FleetService, FleetUnit } from '../../../views/fleet.ts';
import { driftOf } from '../../../views/fleet-drift.ts';
import type { FleetGroup, FleetQuery } from '../../../views/fleet-page.ts';
import { type Html, html, joined, link } from '../../html.ts';
import { person } from '../../parts/person.ts';
import { stateMark } from '../../parts/state.ts';
import { ago, since } from '../../parts/time.ts';
import { cell } from './cell.ts';

export interface FleetTable {
  services: ReadonlyMap<string, FleetService>;
  silent: ReadonlyMap<string, string>;
  /** Of changes, by their id. */
  authors: ReadonlyMap<string, Person>;
  query: FleetQuery;
  now: string;
}

interface Column {
  key: string;
  text: string;
  /** Since when nothing is heard of all that is in it, ISO 8601. */
  silentSince?: string;
}

const NO_RING = 'no ring';

/** The services of one group: a row each, a column for each place. */
export function fleetTable(group: FleetGroup, table: FleetTable): Html {
  const services = group.shown.flatMap((id) => table.services.get(id) ?? []);
  const columns = columnsOf(services, table);
  const wide = columns.length > 6;
  const body = html`<table class="stack fleet"><caption class="unseen">Services of ${group.name}</caption>
<thead><tr><th scope="col">Service</th>${columns.map((column) => head(column, table.now))}<th scope="col">Drift</th><th scope="col">Last delivery</th></tr></thead>
<tbody>${services.map((service) => row(service, columns, table))}</tbody></table>`;
  return wide
    ? html`<div class="scroll" role="region" tabindex="0" aria-label="Services of ${group.name}">${body}</div>`
    : body;
}

function head({ text, silentSince }: Column, now: string): Html {
  const silent =
    silentSince === undefined
      ? undefined
      : html`<div>${stateMark('unknown', 'no signal')} ${since(silentSince, now)}</div>`;
  return html`<th scope="col">${text}${silent}</th>`;
}

/** Stages in the order in which most services have them, then clusters by name. */
function columnsOf(services: readonly FleetService[], { query, silent }: FleetTable): Column[] {
  const found = new Map<string, { text: string; units: FleetUnit[]; rank: number }>();
  for (const { units, stages } of services) {
    for (const unit of units) {
      const { key, text } = columnFor(unit, query.by);
      const position = stages.findIndex(({ stage }) => stage === unit.stage);
      const rank = query.by === 'ring' ? Number(key === NO_RING) : position / Math.max(1, stages.length - 1);
      const column = found.get(key) ?? { text, units: [], rank };
      column.units.push(unit);
      found.set(key, { ...column, rank: Math.max(column.rank, rank) });
    }
  }
  return [...found]
    .sort(([a, one], [b, other]) => one.rank - other.rank || (a < b ? -1 : 1))
    .map(([key, { text, units }]) => ({ key, text, ...silence(units, silent) }));
}

function columnFor({ stage, cluster, ring = NO_RING }: FleetUnit, by: FleetQuery['by']): { key: string; text: string } {
  if (by === 'ring') return { key: ring, text: ring };
  return by === 'cluster' ? { key: `${stage}/${cluster}`, text: `${stage}: ${cluster}` } : { key: stage, text: stage };
}

function silence(units: readonly FleetUnit[], silent: ReadonlyMap<string, string>): { silentSince?: string } {
  const times = units.map(({ system }) => silent.get(system));
  const known = times.filter((time) => time !== undefined);
  const [earliest] = known.sort();
  return earliest === undefined || known.length < times.length ? {} : { silentSince: earliest };
}

function row(service: FleetService, columns: readonly Column[], table: FleetTable): Html {
  const { query, silent, now } = table;
  const { project, service: name } = service;
  const address = `/changes?${new URLSearchParams({ project, service: name })}`;
  const cells = columns.map(({ key, text }) => {
    const units = service.units.filter((unit) => columnFor(unit, query.by).key === key);
    const content = cell(units, { service, silent, now, byCluster: query.by === 'cluster' });
    return html`<td data-label="${text}">${content}</td>`;
  });
  const note =
    query.group === 'team'
      ? html`<div class="quiet">${project}</div>`
      : service.team === undefined
        ? undefined
        : html`<div class="quiet">${service.team}</div>`;
  return html`<tr data-k="f-${project}/${name}"><th scope="row"><a href="${address}" data-k="s-${project}/${name}">${name}</a>${note}</th>${cells}<td data-label="Drift">${drift(service, now)}</td><td data-label="Last">${last(service, table)}</td></tr>`;
}

/** `us-1 2 behind for 9 d`. */
function drift(service: FleetService, now: string): Html {
  const found = driftOf(service);
  if (found === undefined)
    return service.differs
      ? html`<span class="quiet">differs</span>`
      : html`<span class="quiet">same everywhere</span>`;
  const { where, count, since: from } = found;
  return html`${stateMark('warning', `${where} ${count} behind`)} for ${since(from, now)}`;
}

/** Who brought what when, and the way back. */
function last(service: FleetService, { authors, now }: FleetTable): Html {
  const stage = service.stages.findLast((one) => one.last !== undefined);
  if (stage?.last === undefined) return html`<span class="quiet">no delivery seen</span>`;
  const { change, label, at } = stage.last;
  const who = authors.get(change);
  const brought = link(`/changes/${encodeURIComponent(change)}`, label);
  const back =
    stage.good === undefined
      ? undefined
      : html`<div class="quiet">before: ${stage.good.label} · <a href="/changes/${encodeURIComponent(change)}#decision">roll back…<span class="unseen"> ${service.service} in ${stage.stage} to ${stage.good.label}</span></a></div>`;
  return html`<div>${joined([who && person(who), brought, html`${stage.stage}, ${ago(at, now)}`])}</div>${back}`;
}
