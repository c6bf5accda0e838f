import { promotionTargets } from '../../engine/promotion.ts';
import type { SequenceState } from '../../engine/sequence.ts';

/** A delivery has a handful of stages; a plan that names more is broken. */
const MAX_STAGES = 100;

/** All stages that a change goes through, in the order of the delivery, also those that it has not reached. */
export function stagesOf(sequences: readonly SequenceState[]): string[] {
  const entered = [...new Set(sequences.flatMap(({ triggered }) => triggered?.place.stage ?? []))];
  const ways = waysOf(sequences);
  const reached = new Set<string>();
  const visit = (stage: string) => {
    if (reached.has(stage) || reached.size >= MAX_STAGES) return;
    reached.add(stage);
    for (const next of ways.get(stage) ?? []) visit(next);
  };
  for (const stage of entered) visit(stage);
  const named = [...ways.keys(), ...entered];
  const position = (stage: string) => named.indexOf(stage);
  const depths = depthsOf(reached, ways);
  const depth = (stage: string) => depths.get(stage) ?? 0;
  return [...reached].sort((a, b) => depth(a) - depth(b) || position(a) - position(b));
}

/** The newest sequence of each stage: what an earlier one came to is over. */
export function latestByStage(sequences: readonly SequenceState[]): Map<string, SequenceState> {
  const latest = new Map<string, SequenceState>();
  for (const state of sequences) {
    const { triggered } = state;
    if (!triggered) continue;
    const before = latest.get(triggered.place.stage)?.triggered?.at ?? '';
    if (triggered.at >= before) latest.set(triggered.place.stage, state);
  }
  return latest;
}

/** Stages that each one promotes to: by the newest plan that tells, else by the promotions that were planned. */
function waysOf(sequences: readonly SequenceState[]): Map<string, string[]> {
  const graph = sequences.findLast(({ plan }) => (plan?.stages?.length ?? 0) > 0)?.plan?.stages ?? [];
  const ways = new Map(graph.map(({ name, to = [] }) => [name, [...to]]));
  for (const { triggered, plan } of sequences) {
    if (!triggered) continue;
    const step = plan?.steps?.find((one) => one.name === 'promotion');
    const targets = step?.name === 'promotion' ? promotionTargets(step).map(({ to }) => to) : [];
    const known = ways.get(triggered.place.stage) ?? [];
    ways.set(triggered.place.stage, [...new Set([...known, ...targets])]);
    for (const to of targets) if (!ways.has(to)) ways.set(to, []);
  }
  return ways;
}

/** The longest way to each stage; a circle, which no delivery.yaml may have, ends the count. */
function depthsOf(stages: ReadonlySet<string>, ways: ReadonlyMap<string, string[]>): Map<string, number> {
  const depths = new Map([...stages].map((stage) => [stage, 0]));
  for (let round = 0; round < stages.size; round++) {
    let moved = false;
    for (const stage of stages) {
      for (const next of ways.get(stage) ?? []) {
        if (!stages.has(next) || (depths.get(next) ?? 0) > (depths.get(stage) ?? 0)) continue;
        depths.set(next, (depths.get(stage) ?? 0) + 1);
        moved = true;
      }
    }
    if (!moved) break;
  }
  return depths;
}
