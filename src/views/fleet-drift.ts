import { type FleetService, type FleetUnit, labelOf, stageNamed } from './fleet.ts';

export interface Behind {
  /** How many newer ones there are. */
  count: number;
  /** Since when there is a newer one, ISO 8601. */
  since: string;
}

/** How far a unit is behind what is known to be newer; `undefined`: it is not. */
export function behindOf(unit: FleetUnit, service: FleetService): Behind | undefined {
  const list = unit.version === undefined ? (stageNamed(service, unit.stage)?.revisions ?? []) : service.versions;
  const label = labelOf(unit);
  const at = list.findIndex((one) => one.label === label);
  const newer = at >= 0 ? list.slice(0, at) : list.filter((one) => one.at > (unit.since ?? '~'));
  const running = new Set(service.units.map(labelOf));
  // What was tried and taken back everywhere is nothing to catch up with.
  const wanted = newer.slice(
    Math.max(
      0,
      newer.findIndex((one) => running.has(one.label)),
    ),
  );
  const oldest = wanted.at(-1);
  if (oldest === undefined || !newer.some((one) => running.has(one.label))) return undefined;
  return { count: wanted.length, since: oldest.at };
}

export interface Drift extends Behind {
  /** Its cluster, where the stage has several; else the stage. */
  where: string;
  unit: FleetUnit;
}

/** The place that is furthest behind. */
export function driftOf(service: FleetService): Drift | undefined {
  const all = service.units.flatMap((unit) => {
    const behind = behindOf(unit, service);
    const siblings = service.units.filter(({ stage }) => stage === unit.stage).length;
    return behind === undefined ? [] : [{ ...behind, unit, where: siblings > 1 ? unit.cluster : unit.stage }];
  });
  const [worst] = all.sort((a, b) => b.count - a.count || (a.since < b.since ? -1 : 1));
  return worst;
}
