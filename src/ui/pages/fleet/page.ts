import type { FleetGroup, FleetPage, FleetQuery } from '../../../views/fleet-page.ts';
import { type Html, html } from '../../html.ts';
import { chips } from '../../parts/filters.ts';
import { emptyState } from '../../parts/notice.ts';
import { sayCount, sayWhole } from '../../parts/number.ts';
import { type FleetTable, fleetTable } from './table.ts';

export interface FleetScreen extends FleetTable {
  page: FleetPage;
}

/** What runs where: every service, in every stage and cluster. */
export function fleetScreen(screen: FleetScreen): Html {
  const { page, query } = screen;
  const { matching, total, units } = page;
  const narrowed = matching < total ? `${sayWhole(matching)} of ` : '';
  return html`<h1>Fleet: ${narrowed}${sayCount(total, 'service')}, ${sayCount(units, 'application')}</h1>
${controls(query)}
${total === 0 ? noFleet() : page.groups.length === 0 ? noMatch(query, total) : page.groups.map((group) => groupSection(group, screen))}
${pages(page, query)}`;
}

/** The address of the screen, with what is not as usual. */
export function fleetAddress(query: Partial<FleetQuery>): string {
  const { project, group, by, differs, q, sort, open = [], in: only, cursor } = query;
  const said = new URLSearchParams();
  if (project !== undefined) said.set('project', project);
  if (group === 'project') said.set('group', group);
  if (by !== undefined && by !== 'stage') said.set('by', by);
  if (differs) said.set('differs', '1');
  if (q !== undefined && q !== '') said.set('q', q);
  if (sort === 'last') said.set('sort', sort);
  for (const name of open) said.append('open', name);
  if (only !== undefined) said.set('in', only);
  if (cursor !== undefined) said.set('cursor', cursor);
  const text = said.toString();
  return text === '' ? '/fleet' : `/fleet?${text}`;
}

function controls(query: FleetQuery): Html {
  const { cursor: _, in: __, ...rest } = query;
  const go = (changed: Partial<FleetQuery>) => fleetAddress({ ...rest, ...changed });
  const { group, by, differs, sort, q, project, open } = query;
  const hidden: [string, string][] = [
    ...(project === undefined ? [] : [['project', project] as [string, string]]),
    ...(group === 'project' ? [['group', group] as [string, string]] : []),
    ...(by === 'stage' ? [] : [['by', by] as [string, string]]),
    ...(differs ? [['differs', '1'] as [string, string]] : []),
    ...(sort === 'last' ? [['sort', sort] as [string, string]] : []),
    ...open.map((name): [string, string] => ['open', name]),
  ];
  return html`<div class="controls">
${chips('Groups', [
  { text: 'by team', href: go({ group: 'team' }), current: group === 'team' },
  { text: 'by project', href: go({ group: 'project' }), current: group === 'project' },
])}
${chips('Columns', [
  { text: 'stages', href: go({ by: 'stage' }), current: by === 'stage' },
  { text: 'clusters', href: go({ by: 'cluster' }), current: by === 'cluster' },
  { text: 'rings', href: go({ by: 'ring' }), current: by === 'ring' },
])}
${chips('Order and filter', [
  { text: 'differs only', href: go({ differs: !differs }), current: differs },
  { text: 'last delivered first', href: go({ sort: sort === 'last' ? 'name' : 'last' }), current: sort === 'last' },
  ...(project === undefined ? [] : [{ text: `project ${project} ✕`, href: withoutProject(rest), current: true }]),
])}
<form method="get" action="/fleet">${hidden.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}<label class="choose"><span>named</span> <input name="q" value="${q ?? ''}" maxlength="200" autocomplete="off" spellcheck="false" placeholder="service, team, cluster"></label> <button>Show</button></form>
</div>`;
}

function withoutProject({ project: _, ...rest }: Partial<FleetQuery>): string {
  return fleetAddress(rest);
}

function groupSection(group: FleetGroup, screen: FleetScreen): Html {
  const { name, total, differing, shown, next } = group;
  const { query } = screen;
  const summary = differing === 0 ? 'same everywhere' : `${differing} of ${total} differ`;
  const title = html`<h2>${name} (${total}) <span class="quiet">${summary}</span></h2>`;
  if (shown.length === 0) {
    const { cursor: _, ...rest } = query;
    return html`<section class="group closed">${title}<a href="${fleetAddress({ ...rest, in: name })}" data-k="open-${name}">show<span class="unseen"> ${name}</span></a></section>`;
  }
  const left =
    next === undefined
      ? undefined
      : html`<p><a href="${fleetAddress({ ...query, in: name, cursor: next })}" rel="next" data-k="more-${name}">more of ${name} ›</a></p>`;
  return html`<section class="group">${title}${fleetTable(group, screen)}${left}</section>`;
}

function pages({ next }: FleetPage, query: FleetQuery): Html | undefined {
  const { in: only, cursor, ...rest } = query;
  const first =
    only !== undefined || cursor !== undefined
      ? html`<a href="${fleetAddress(rest)}" rel="first">‹ all groups</a>`
      : undefined;
  const more =
    next === undefined
      ? undefined
      : html`<a href="${fleetAddress({ ...rest, cursor: next })}" rel="next">more groups ›</a>`;
  return first || more ? html`<nav class="pager" aria-label="Pages">${first} ${more}</nav>` : undefined;
}

function noFleet(): Html {
  return emptyState(
    'No application yet',
    html`<p>An application appears here as soon as it carries the labels <code>lynceus.dev/project</code>, <code>lynceus.dev/stage</code> and <code>lynceus.dev/service</code>. <code>lynceus.dev/team</code> and <code>lynceus.dev/ring</code> group it.</p><p><a href="/connections">Connections</a> says what is seen, and what is wrong with labels.</p>`,
  );
}

function noMatch(query: FleetQuery, total: number): Html {
  const { group, by, sort } = query;
  return emptyState(
    'No service matches',
    html`<p>${total} without filters. <a href="${fleetAddress({ group, by, sort })}">Clear the filters</a></p>`,
  );
}
