import { BY_ITSELF, TOO_LATE } from '../forecast/failures.ts';
import type { WarnedBefore } from '../forecast/warnings.ts';
import { asUnblock } from './actions.ts';
import { BLOCKER_RULES } from './blockers/all.ts';
import { noneOf } from './blockers/none.ts';
import type { Afterwards, BlockerKind, BlockerView, Cell, ChangeRow, Eta, Odds, State } from './change-row.ts';
import type { ChangeFacts } from './fact-types.ts';
import type { Spot } from './spot.ts';
import type { Moment, Told, Way } from './told.ts';
import type { Viewer } from './viewer.ts';
import { prose, sentence } from './words.ts';

/** What a forecast says of a change from where it stands. */
export interface Foreseen {
  eta: Eta | null;
  odds: Odds | null;
  /** Of the present step, in seconds. */
  stepP90?: number;
  /** Of what failed: what became of others like it. */
  afterwards?: Afterwards;
  /** Of what waits for people because a gate warned: how earlier ones ended. */
  warnedBefore?: WarnedBefore;
}

export interface Reading {
  /** ISO 8601. */
  now: string;
  viewer?: Viewer | undefined;
  /** Absent: nothing is foreseen. */
  forecast?: ((facts: ChangeFacts) => Foreseen) | undefined;
  /** Other changes, for who is ahead in a queue (`aheadOfChange`); absent: it is only named. */
  changeOf?: Moment['changeOf'] | undefined;
}

/** The five answers about a change, for one reader at one moment. Pure, and never throws. */
export function changeRow(facts: ChangeFacts, { now, viewer, forecast, changeOf }: Reading): ChangeRow {
  const foreseen = facts.over === undefined ? forecast?.(facts) : undefined;
  const { stepP90 } = foreseen ?? {};
  const moment = {
    now,
    ...(stepP90 === undefined ? {} : { stepP90 }),
    ...(changeOf === undefined ? {} : { changeOf }),
  };
  const { kind, told } = tell(facts, moment);
  const { spots: _, over: __, owners: ___, images: ____, beside: _____, ...identity } = facts;
  return {
    ...identity,
    state: stateNow(facts, kind, told),
    cells: facts.cells.map((cell) => cellNow(cell, kind, told)),
    blocker: blockerOf(kind, told),
    unblock: waysOf(told, facts, moment).map((one) => one(viewer)),
    eta: etaOf(facts, foreseen),
    odds: facts.state === 'failed' ? null : (foreseen?.odds ?? null),
    ...(foreseen?.warnedBefore === undefined ? {} : { warnedBefore: foreseen.warnedBefore }),
    ...afterwardsOf(facts, foreseen),
  };
}

/** What a change waits for: the first kind that applies, where it stands first. */
export function tell(facts: ChangeFacts, moment: Moment): { kind: BlockerKind; told: Told } {
  for (const rule of BLOCKER_RULES) {
    for (const spot of facts.spots) {
      const told = rule.tell(spot, facts, moment);
      if (told) return { kind: rule.kind, told: { ...told, ...loudly(spot), ...settled(spot) } };
    }
  }
  return { kind: 'none', told: noneOf(facts, moment.now) };
}

/** What a newer change has mended waits for nobody. */
function settled({ failed }: Spot): Partial<Pick<Told, 'ways'>> {
  return failed?.mended ? { ways: [] } : {};
}

const LOUD = /^ROLLBACK FAILED/;

/** A rollback that failed leaves the stage broken: that is said first, whatever the change had failed at. */
function loudly({ failed }: Spot): Pick<Told, 'sentence'> | undefined {
  return failed && LOUD.test(failed.message) ? { sentence: sentence`${prose(failed.message)}` } : undefined;
}

/** The changes that a change is behind of: what `changeOf` will be asked for. */
export function aheadOfChange({ spots }: ChangeFacts): string[] {
  return [...new Set(spots.flatMap(({ ahead }) => ahead?.change ?? []))];
}

/**
 * Whom a change waits for, as keys to find it by: `group:sre`, `person:lin`. Who might let it through, roll it back or
 * retry it is not waited for.
 *
 * @param stepP90 as in `Foreseen`
 */
export function needsOf(facts: ChangeFacts, now: string, stepP90?: number): string[] {
  const { told } = tell(facts, { now, ...(stepP90 === undefined ? {} : { stepP90 }) });
  const meant = [...told.ways, ...waysBeside(facts, { now })].filter(
    ({ does }) => does === undefined || !OPTIONAL.has(does),
  );
  const keys = meant.flatMap(({ who }) =>
    who.map((one) => ('group' in one ? `group:${one.group}` : `person:${one.login ?? one.name}`)),
  );
  return [...new Set(keys)];
}

/** What failed in one stage keeps nobody from what another one waits for. */
function waysBeside(facts: ChangeFacts, moment: Moment): Way[] {
  const { beside = [] } = facts;
  return beside.flatMap((spot) => {
    const { told } = tell({ ...facts, spots: [spot] }, moment);
    return told.ways.filter(({ who, does }) => who.length > 0 && !OPTIONAL.has(does ?? ''));
  });
}

const OPTIONAL: ReadonlySet<string> = new Set(['overrides', 'rolls back', 'retries']);

function blockerOf(kind: BlockerKind, { since, stage, stale, ...told }: Told): BlockerView {
  return {
    kind,
    sentence: told.sentence,
    since,
    ...(stage === undefined || stage === '' ? {} : { stage }),
    ...(stale === true ? { stale } : {}),
  };
}

/** With those of the change ahead, whose own queue is not followed further. */
function waysOf({ ways, ahead }: Told, facts: ChangeFacts, { now, changeOf }: Moment) {
  const other = ahead === undefined ? undefined : changeOf?.(ahead);
  const theirs = other && other.id !== facts.id ? tell(other, { now }).told.ways : [];
  const drawn =
    ({ id, project }: Pick<ChangeFacts, 'id' | 'project'>) =>
    (one: Way) =>
    (viewer: Viewer | undefined) =>
      asUnblock({ id, project }, one, viewer);
  const all = [...ways, ...waysBeside(facts, { now })];
  return [...all.map(drawn(facts)), ...theirs.map(drawn(other ?? facts))];
}

/** What has not been heard of for too long is not known to run. */
function stateNow({ state }: ChangeFacts, kind: BlockerKind, { stale }: Told): State {
  return kind === 'no-signal' && stale === true ? 'unknown' : state;
}

function cellNow(cell: Cell, kind: BlockerKind, { stage, stale }: Told): Cell {
  const isSilent = kind === 'no-signal' && stale === true && cell.stage === stage;
  return isSilent ? { ...cell, state: 'unknown' } : cell;
}

/** How long, and how likely, of what failed: by itself never, and else that is up to people. */
function afterwardsOf(
  { state, over, spots }: ChangeFacts,
  foreseen: Foreseen | undefined,
): Pick<ChangeRow, 'afterwards'> {
  if (state !== 'failed' || over !== undefined) return {};
  if (spots[0]?.failed?.mended) return { afterwards: { text: TOO_LATE } };
  return { afterwards: foreseen?.afterwards ?? { text: BY_ITSELF } };
}

/** Of what is over or failed nothing is foreseen; of what is not, it is said that nothing is known. */
function etaOf({ over, state }: ChangeFacts, foreseen: Foreseen | undefined): Eta | null {
  if (over || state === 'failed') return null;
  return foreseen === undefined ? { text: 'no history yet' } : foreseen.eta;
}
