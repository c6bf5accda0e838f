import type { DecisionMade } from '../events/types.ts';

/** The last word of each person: who has the name of somebody, or is the same for the provider, is no second person. */
export function onePerPerson<T extends Pick<DecisionMade, 'actor' | 'identity'>>(decisions: readonly T[]): T[] {
  const known = new Set<string>();
  return decisions
    .toReversed()
    .filter(({ actor, identity }) => {
      const names = [`name ${actor}`, ...(identity ? [JSON.stringify([identity.issuer, identity.subject])] : [])];
      const isNew = !names.some((name) => known.has(name));
      for (const name of names) known.add(name);
      return isNew;
    })
    .toReversed();
}
