import type { FleetService } from './fleet.ts';

/** What is remembered of every service to find, group and order them. */
export interface FleetEntry {
  id: string;
  project: string;
  service: string;
  team?: string;
  /** Where it runs; 0: it was only evaluated. */
  units: number;
  clusters: string[];
  /** In any stage. */
  evaluated: boolean;
  differs: boolean;
  lastAt?: string;
}

export interface FleetQuery {
  project?: string;
  group: 'team' | 'project';
  by: 'stage' | 'cluster' | 'ring';
  /** Only services that are not the same everywhere. */
  differs: boolean;
  q?: string;
  sort: 'name' | 'last';
  /** Groups that are opened although all in them is equal. */
  open: readonly string[];
  /** Only this group, page by page. */
  in?: string;
  /** Where the page begins: a group, or within one a service. */
  cursor?: string;
}

export interface FleetGroup {
  name: string;
  /** Of those that match. */
  total: number;
  differing: number;
  /** Ids of the services that are shown; none: it is closed. */
  shown: string[];
  /** Where the rest of the group begins. */
  next?: string;
}

export interface FleetPage {
  groups: FleetGroup[];
  /** Services that match. */
  matching: number;
  total: number;
  units: number;
  next?: string;
}

/** Services of a group on a page. */
export const GROUP_SIZE = 25;
/** Services on a page, of all groups. */
const MAX_SHOWN = 36;
/** Groups on a page. */
const MAX_GROUPS = 50;
export const NO_TEAM = 'no team';

export function fleetEntry({ project, service, team, units, stages, differs, lastAt }: FleetService): FleetEntry {
  return {
    id: `${project}/${service}`,
    project,
    service,
    ...(team === undefined ? {} : { team }),
    units: units.length,
    clusters: [...new Set(units.map(({ cluster }) => cluster))],
    evaluated: stages.some(({ evaluation }) => evaluation !== undefined),
    differs,
    ...(lastAt === undefined ? {} : { lastAt }),
  };
}

/** Which services are shown, in which groups. */
export function fleetPage(entries: readonly FleetEntry[], query: FleetQuery): FleetPage {
  const deployed = entries.filter(({ units }) => units > 0);
  const matching = deployed.filter(matcher(query));
  const groups = grouped(matching, query);
  const named = query.in === undefined ? groups : groups.filter(([name]) => name === query.in);
  const from = query.in === undefined ? positionAfter(named, query) : 0;
  const page = named.slice(from, from + MAX_GROUPS);
  const more = named.length > from + page.length ? page.at(-1)?.[0] : undefined;
  return {
    groups: shownOf(page, query),
    matching: matching.length,
    total: deployed.length,
    units: deployed.reduce((sum, { units }) => sum + units, 0),
    ...(more === undefined ? {} : { next: more }),
  };
}

function matcher({ project, differs, q = '' }: FleetQuery): (entry: FleetEntry) => boolean {
  const wanted = q.trim().toLowerCase();
  return (entry) =>
    (project === undefined || entry.project === project) &&
    (!differs || entry.differs) &&
    (wanted === '' ||
      [entry.service, entry.project, entry.team ?? '', ...entry.clusters].some((text) =>
        text.toLowerCase().includes(wanted),
      ));
}

type Named = [name: string, entries: FleetEntry[]];

function grouped(entries: readonly FleetEntry[], { group, sort }: FleetQuery): Named[] {
  const groups = new Map<string, FleetEntry[]>();
  for (const entry of entries) {
    const name = group === 'team' ? (entry.team ?? NO_TEAM) : entry.project;
    const found = groups.get(name);
    if (found) found.push(entry);
    else groups.set(name, [entry]);
  }
  const order = sort === 'last' ? byLast : byDifference;
  for (const found of groups.values()) found.sort(order);
  return [...groups].sort(([nameA, a], [nameB, b]) =>
    sort === 'last' ? compare(newestOf(b), newestOf(a)) || compare(nameA, nameB) : byName(nameA, nameB),
  );
}

/** Those without a team come last. */
function byName(a: string, b: string): number {
  if ((a === NO_TEAM) !== (b === NO_TEAM)) return a === NO_TEAM ? 1 : -1;
  return compare(a, b);
}

function byDifference(a: FleetEntry, b: FleetEntry): number {
  return Number(b.differs) - Number(a.differs) || compare(a.id, b.id);
}

function byLast(a: FleetEntry, b: FleetEntry): number {
  return compare(b.lastAt ?? '', a.lastAt ?? '') || compare(a.id, b.id);
}

function newestOf(entries: readonly FleetEntry[]): string {
  return entries[0]?.lastAt ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function positionAfter(groups: readonly Named[], { cursor, sort }: FleetQuery): number {
  if (cursor === undefined) return 0;
  const at = groups.findIndex(([name]) => name === cursor);
  if (at >= 0) return at + 1;
  // It is gone by now: where it would be. By time nobody knows where that was.
  const next = sort === 'last' ? 0 : groups.findIndex(([name]) => byName(name, cursor) > 0);
  return next < 0 ? groups.length : next;
}

function shownOf(page: readonly Named[], query: FleetQuery): FleetGroup[] {
  let room = MAX_SHOWN;
  return page.map(([name, entries]): FleetGroup => {
    const differing = entries.filter(({ differs }) => differs).length;
    const isOpen = differing > 0 || query.in === name || query.open.includes(name) || page.length === 1 || !!query.q;
    const from = query.in === name ? entryAfter(entries, query) : 0;
    const shown = isOpen ? entries.slice(from, from + Math.min(GROUP_SIZE, Math.max(0, room))) : [];
    room -= shown.length;
    const last = shown.at(-1);
    const next = last !== undefined && from + shown.length < entries.length ? last.id : undefined;
    return {
      name,
      total: entries.length,
      differing,
      shown: shown.map(({ id }) => id),
      ...(next === undefined ? {} : { next }),
    };
  });
}

function entryAfter(entries: readonly FleetEntry[], { cursor }: FleetQuery): number {
  return cursor === undefined ? 0 : entries.findIndex(({ id }) => id === cursor) + 1;
}
