import type { ChangeFacts } from '../answers/change-facts.ts';
import type { State } from '../answers/change-row.ts';
import { authorsMail } from '../answers/facts/identity.ts';
import { imageName } from '../answers/facts/images.ts';
import { needsByTime } from '../answers/needs.ts';
import type { JsonObject } from '../base/json.ts';
import type { SequenceState } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import { readPullRequestUrl } from '../events/pull-request-url.ts';
import type { ChangeKey, ChangeRecord } from '../store/changes.ts';
import type { Store } from '../store/store.ts';
import { numberKey } from './find-change.ts';

/** What lists are ordered by: who has to do something comes before what stopped, what moves, and what is over. */
const RANKS: Readonly<Record<State, number>> = {
  waiting: 0,
  failed: 1,
  unknown: 1,
  running: 2,
  queued: 2,
  idle: 2,
  warning: 3,
  passed: 3,
  skipped: 3,
  superseded: 3,
};

/** Words of a title that a search finds it by. */
const MAX_WORDS = 30;
const MAX_WORD = 60;
const MAX_KEYS = 400;
/** What columns hold; longer names are cut, for filters only. */
const MAX_COLUMN = 80;

/** What the store keeps of a change: its facts, what lists filter by, and what it can be found by. */
export function changeRecord(
  facts: ChangeFacts,
  sequences: readonly SequenceState[],
  extra: readonly ChangeKey[] = [],
): ChangeRecord {
  const { id, rev, project, service, team, author, state, kind } = facts;
  const stage = stageOf(facts);
  return {
    id,
    version: rev,
    project: column(project),
    service: column(service),
    ...(team === undefined || team === '' ? {} : { team: column(team) }),
    ...(author.name === 'unknown' ? {} : { author: column(author.login ?? author.name) }),
    state,
    ...(stage === undefined ? {} : { stage: column(stage) }),
    kind,
    rank: RANKS[state],
    createdAt: time(facts.createdAt || facts.movedAt),
    movedAt: time(facts.movedAt || facts.createdAt),
    keys: [...keysOf(facts, sequences), ...extra].filter(isKey).slice(0, MAX_KEYS),
    data: JSON.parse(JSON.stringify(facts)) as JsonObject,
  };
}

/** Where it is now, or ended. */
function stageOf({ spots, over, cells }: ChangeFacts): string | undefined {
  return spots[0]?.stage ?? over?.stage ?? cells.findLast(({ state }) => state !== 'idle')?.stage;
}

function keysOf(facts: ChangeFacts, sequences: readonly SequenceState[]): ChangeKey[] {
  const { project, commit, images = [], version, cells, title, service, pr } = facts;
  const spots = [...facts.spots, ...(facts.beside ?? [])];
  const digests = images.flatMap((image) => imageName(image).digest ?? []);
  const clusters = cells.flatMap((cell) => cell.clusters ?? []);
  return [
    ...named('commit', [commit.id ?? '', ...sequences.flatMap(commitsOf)]),
    ...named('digest', digests),
    ...named('pr', pr?.url === undefined ? [] : [readPullRequestUrl(pr.url)?.key ?? '']),
    ...named('number', pullRequestNumbers(pr)),
    ...named(
      'version',
      [version ?? '', ...cells.map((cell) => (cell.state === 'idle' ? '' : (cell.version ?? '')))].map((text) =>
        text.toLowerCase(),
      ),
    ),
    ...named(
      'stage',
      cells.map((cell) => (cell.state === 'idle' ? '' : cell.stage)),
    ),
    ...named(
      'cluster',
      clusters.map(({ name }) => name),
    ),
    ...named('service', [service.toLowerCase()]),
    ...named(
      'author',
      [facts.author.name, facts.author.login ?? '', authorsMail(sequences, facts.author) ?? ''].map((name) =>
        name.toLowerCase(),
      ),
    ),
    ...named(
      'handed',
      spots.flatMap(({ merged, stage }) => (merged && stage ? [concernKey({ project, service, stage })] : [])),
    ),
    ...named(
      'failed',
      spots.flatMap(({ failed, stage }) =>
        failed && !failed.mended && stage ? [concernKey({ project, service, stage })] : [],
      ),
    ),
    ...needsKeys(facts),
    ...sequences.flatMap(applicationKey),
    ...sequences.flatMap(placeKeys),
    ...named('word', wordsOf(`${title} ${facts.author.name} ${facts.author.login ?? ''}`)),
  ];
}

/** Digits of a time, so that they sort as times do. */
const TIME_DIGITS = 13;

/** Whom it waits for; and whom it may come to wait for as time goes by, with the time from which on it is worth a look. */
function needsKeys(facts: ChangeFacts): ChangeKey[] {
  const { always, perhaps } = needsByTime(facts);
  return [
    ...named('needs', always),
    ...named(
      NEEDS_FROM,
      perhaps.map(({ key, from }) => `${beginOfNeed(key)}${timeOfNeed(from)}`),
    ),
  ];
}

/** The name of keys of those whom a change may come to wait for. */
export const NEEDS_FROM = 'needs-from';

/** What such a key begins with, for one of those whom it may wait for. */
export function beginOfNeed(key: string): string {
  return `${key}~`;
}

/** What such a key ends in: milliseconds since 1970. */
export function timeOfNeed(time: number): string {
  return String(Math.max(0, Math.floor(time))).padStart(TIME_DIGITS, '0');
}

/** A change by a stage that it has entered; without a project, in any. */
export function placeKey(project: string | undefined, service: string, stage: string): ChangeKey {
  const place = project === undefined ? [service, stage] : [project, service, stage];
  return { name: 'place', value: place.join('/') };
}

/** A place, in what changes are found by that what happens there concerns: `handed`, `failed`. */
export function concernKey({ project, service, stage }: Place): string {
  return [project, service, stage].join('/');
}

/** Those that have to be drawn anew when another change comes to a place, or passes there. */
export async function concernedBy(store: Store, place: Place): Promise<string[]> {
  const value = concernKey(place);
  const found = await Promise.all(['handed', 'failed'].map((name) => store.findChanges({ name, value })));
  return [...new Set(found.flat())];
}

function placeKeys({ triggered }: SequenceState): ChangeKey[] {
  if (!triggered) return [];
  const { project, service, stage } = triggered.place;
  return [placeKey(undefined, service, stage), placeKey(project, service, stage)];
}

function pullRequestNumbers(pr: ChangeFacts['pr']): string[] {
  const number = /\d+$/.exec(pr?.text ?? '')?.[0];
  return number === undefined ? [] : [numberKey(number)];
}

function commitsOf({ triggered }: SequenceState): string[] {
  if (!triggered) return [];
  const { revision, revisions = [], drySha = '', source } = triggered;
  return [revision, ...revisions, drySha, source.revision ?? ''].map((commit) => commit.toLowerCase());
}

function applicationKey({ triggered }: SequenceState): ChangeKey[] {
  if (!triggered) return [];
  const { namespace, name } = triggered.application;
  // Flux has several kinds, and the kind stands in the name: a name of Argo CD has no slash.
  const [kind, own] = name.split('/', 2);
  if (own === undefined) return [{ name: 'argocd', value: `${namespace}/${name}` }];
  return [{ name: 'flux', value: `${kind}/${namespace}/${own}` }];
}

/** In lower case, each once, without what surrounds them. */
export function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}._/-]*/gu) ?? [];
  return [...new Set(words.map((word) => word.slice(0, MAX_WORD)))].slice(0, MAX_WORDS);
}

function named(name: string, values: readonly string[]): ChangeKey[] {
  return [...new Set(values)].filter((value) => value !== '').map((value) => ({ name, value }));
}

/** An odd value of others is not found; it must never keep the change from being shown. */
function isKey({ value }: ChangeKey): boolean {
  return value !== '' && value.length <= 170 && !value.includes('\u0000') && value.isWellFormed();
}

function column(text: string): string {
  const clean = text.replaceAll('\u0000', '').toWellFormed().slice(0, MAX_COLUMN).toWellFormed();
  return clean === '' ? '-' : clean;
}

/** Milliseconds since 1970; what is no time is the beginning of time. */
function time(iso: string): number {
  const at = Date.parse(iso);
  return Number.isSafeInteger(at) && at >= 0 ? at : 0;
}
