import type { ChangeRow } from '../../answers/change-row.ts';
import type { Frame } from '../frame.ts';
import { type Html, html } from '../html.ts';
import { type Chip, chips, choose, nameField } from '../parts/filters.ts';
import { type ChangesFilter, changesAddress, filterFields, isNarrowed } from './changes-filter.ts';
import type { ChangesScreen } from './changes-screen.ts';

const STOPPED = ['failed'];
const MOVING = ['queued', 'running'];

/** The questions that people come with; each sets or takes away its own filter and leaves the others. */
export function quickFilters({ viewer }: Frame, { filter, counts, all }: ChangesScreen): Html {
  const { mine: _mine, team: _team, ...scoped } = filter;
  const scope = { ...scoped, team: [] as string[] };
  const teams = viewer?.teams ?? [];
  const isTeam = teams.length > 0 && sameValues(filter.team, teams) && !filter.mine;
  const personal: Chip[] =
    viewer === undefined
      ? []
      : [
          quick('Mine', { ...scope, ...(filter.mine ? {} : { mine: true }) }, filter.mine === true, counts.mine),
          ...(teams.length === 0
            ? []
            : [quick('My team', { ...scope, team: isTeam ? [] : [...teams] }, isTeam, counts.team)]),
          { ...needsMe(filter, counts.needsMe), state: 'waiting' as const },
        ];
  const isStopped = sameValues(filter.state, STOPPED);
  const isMoving = sameValues(filter.state, MOVING);
  return chips('Quick filters', [
    quick('All', {}, !isNarrowed(filter), all),
    ...personal,
    { ...quick('Stopped', { ...filter, state: isStopped ? [] : STOPPED }, isStopped, counts.stopped), state: 'failed' },
    { ...quick('Moving', { ...filter, state: isMoving ? [] : MOVING }, isMoving, counts.moving), state: 'running' },
  ]);
}

function needsMe(filter: ChangesFilter, count: number | undefined): Chip {
  const { needs, ...rest } = filter;
  return quick('Needs me', needs === 'me' ? rest : { ...filter, needs: 'me' }, needs === 'me', count);
}

function quick(text: string, filter: Partial<ChangesFilter>, current: boolean, count: number | undefined): Chip {
  return { text, href: changesAddress(filter), current, ...(count === undefined ? {} : { count }) };
}

function sameValues(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value) => other.includes(value));
}

const PERIODS = [
  { value: '1d', text: 'last 24 h' },
  { value: '7d', text: 'last 7 days' },
  { value: '30d', text: 'last 30 days' },
];

/** What has a field of its own in the form; the rest travels along unseen. */
const FIELDS = ['stage', 'team', 'author', 'project', 'service'] as const;
const SHOWN: readonly string[] = [...FIELDS, 'since'];

/** All other filters, in one form that needs no script. */
export function filterForm({ filter, facets, rows }: ChangesScreen): Html {
  const hidden = filterFields(filter).filter(
    ([name, value]) => !SHOWN.includes(name) || isFurther(filter, name, value),
  );
  const known = (pick: (row: (typeof rows)[number]) => string) => [...new Set(rows.map(pick))].sort();
  const isSet = FIELDS.some((name) => filter[name].length > 0) || filter.since !== undefined;
  return html`<details class="more-filters"${isSet ? html` open` : undefined}><summary data-k="filters">Filters</summary><form action="/changes" class="filters" aria-label="Filters">
${hidden.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${choose('stage', 'Stage', counted(facets.stage), filter.stage[0])}
${choose('team', 'Team', counted(facets.team), filter.team[0])}
${nameField('author', 'Author', known(authorOf), filter.author[0])}
${nameField('project', 'Project', known(projectOf), filter.project[0])}
${nameField('service', 'Service', known(serviceOf), filter.service[0])}
${choose('since', 'Moved', PERIODS, filter.since)}
<button>Filter</button>${isNarrowed(filter) ? html` <a href="/changes" data-k="clear">Clear</a>` : undefined}
</form></details>`;
}

const authorOf = ({ author }: ChangeRow) => author.login ?? author.name;
const projectOf = ({ project }: ChangeRow) => project;
const serviceOf = ({ service }: ChangeRow) => service;

/** Several values of one name: the first one has the field. */
function isFurther(filter: ChangesFilter, name: string, value: string): boolean {
  const values = filter[name as 'stage'];
  return Array.isArray(values) && values.indexOf(value) > 0;
}

function counted(facet: Readonly<Record<string, number>>) {
  return Object.entries(facet).map(([value, count]) => ({ value, count }));
}
