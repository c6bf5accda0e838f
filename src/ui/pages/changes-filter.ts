/** What the list of changes is narrowed to, as its address says. */
export interface ChangesFilter {
  /** A commit, digest, pull request, version or service, or the beginning of one. */
  q?: string;
  /** Only the reader's own. */
  mine?: boolean;
  /** `me`: only those that wait for the reader. */
  needs?: string;
  state: readonly string[];
  stage: readonly string[];
  team: readonly string[];
  author: readonly string[];
  project: readonly string[];
  service: readonly string[];
  kind: readonly string[];
  ring: readonly string[];
  cluster: readonly string[];
  /** How far back, such as `7d`. */
  since?: string;
}

export const NO_FILTER: ChangesFilter = {
  state: [],
  stage: [],
  team: [],
  author: [],
  project: [],
  service: [],
  kind: [],
  ring: [],
  cluster: [],
};

const LISTS = ['state', 'stage', 'team', 'author', 'project', 'service', 'kind', 'ring', 'cluster'] as const;
const MAX_VALUES = 20;
const MAX_CHARS = 200;

/** Reads a filter out of an address; what it does not know it leaves alone. */
export function readFilter(query: Readonly<Record<string, unknown>>): ChangesFilter {
  const [q] = valuesOf(query['q']);
  const [needs] = valuesOf(query['needs']);
  const [since] = valuesOf(query['since']);
  const mine = query['mine'] !== undefined && query['mine'] !== '0';
  return {
    state: valuesOf(query['state']),
    stage: valuesOf(query['stage']),
    team: valuesOf(query['team']),
    author: valuesOf(query['author']),
    project: valuesOf(query['project']),
    service: valuesOf(query['service']),
    kind: valuesOf(query['kind']),
    ring: valuesOf(query['ring']),
    cluster: valuesOf(query['cluster']),
    ...(q === undefined ? {} : { q }),
    ...(needs === undefined ? {} : { needs }),
    ...(since === undefined ? {} : { since }),
    ...(mine ? { mine } : {}),
  };
}

function valuesOf(value: unknown): string[] {
  const all = (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');
  const trimmed = all.map((one) => one.trim().slice(0, MAX_CHARS)).filter((one) => one !== '');
  return [...new Set(trimmed)].slice(0, MAX_VALUES);
}

/** Names and values of a filter in the order in which addresses have them. */
export function filterFields(filter: ChangesFilter): [name: string, value: string][] {
  const { q, mine, needs, since } = filter;
  const one = (name: string, value: string | undefined): [string, string][] =>
    value === undefined ? [] : [[name, value]];
  return [
    ...one('q', q),
    ...one('mine', mine ? '1' : undefined),
    ...one('needs', needs),
    ...LISTS.flatMap((name) => filter[name].map((value): [string, string] => [name, value])),
    ...one('since', since),
  ];
}

/** Where the list is, narrowed; `more` says which page of it. */
export function changesAddress(filter: Partial<ChangesFilter>, more: Readonly<Record<string, string>> = {}): string {
  const fields = [...filterFields({ ...NO_FILTER, ...filter }), ...Object.entries(more)];
  const query = fields.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join('&');
  return query === '' ? '/changes' : `/changes?${query}`;
}

export function isNarrowed(filter: ChangesFilter): boolean {
  return filterFields(filter).length > 0;
}
