import type { Group, Person } from './change-row.ts';
import type { ChangeFacts } from './fact-types.ts';
import type { Spot } from './spot.ts';
import type { Wanted, Way } from './told.ts';

/** Where connections and owners are mended. */
export const CONNECTIONS = '/connections';
const UNKNOWN = 'unknown';

/** Somebody by the name that they sign in with, or are known by at the Git host. */
export function person(login: string): Person {
  return { name: login, login };
}

export function group(name: string): Group {
  return { group: name };
}

/** Who wrote the change. */
export function authorOf({ author }: ChangeFacts): Person[] {
  return author.name === '' || author.name === UNKNOWN ? [] : [author];
}

/** Who looks after the application: whom its annotation names, else its team. */
export function ownersOf({ owners = [], team }: ChangeFacts): (Person | Group)[] {
  const named = owners.map((owner) => (owner.startsWith('group:') ? group(owner.slice(6)) : person(owner)));
  return named.length > 0 ? named : team === undefined ? [] : [group(team)];
}

/** A way out by people; where nobody is known, that is said, and where to mend it. */
export function way(who: readonly (Person | Group)[], does: string, action?: Wanted): Way {
  const distinct = unique(who);
  if (distinct.length === 0) return { who: [], does: 'no owner configured', nobody: true };
  return { who: distinct, does, ...(action === undefined ? {} : { action }) };
}

/** Its author mends it; where the author is not known, who looks after the application. */
export function fixes(facts: ChangeFacts, does = 'fixes'): Way {
  const author = authorOf(facts);
  return way(author.length > 0 ? author : ownersOf(facts), does);
}

/** Author and owners together. */
export function looks(facts: ChangeFacts, does = 'fixes'): Way {
  return way([...authorOf(facts), ...ownersOf(facts)], does);
}

/** It goes on by itself then. */
export function later(until: string | undefined): Way[] {
  return until === undefined ? [] : [{ who: [], until }];
}

/** Past checks and gates: by the groups that approve in the stage, else by whoever operates. */
export function overrides({ override = [], stage }: Spot): Way {
  const who = override.length > 0 ? override.map(group) : [group('operators')];
  return {
    who,
    does: 'overrides',
    action: {
      label: 'Override',
      permission: 'operate',
      ...(stage === undefined ? {} : { stage }),
      ...(override.length > 0 ? { groups: override } : {}),
    },
  };
}

/** What can be done about a stage that failed. */
export function afterFailure(spot: Spot, facts: ChangeFacts): Way[] {
  const { failed, stage } = spot;
  const back: Way[] =
    failed?.canRollBack === true && failed.rollback !== 'done'
      ? [
          operators('rolls back', {
            label: 'Roll back',
            permission: 'operate',
            ...(stage === undefined ? {} : { stage }),
          }),
        ]
      : [];
  return [fixes(facts), ...(failed?.canRetry ? [retries(spot)] : []), ...back];
}

/** A promotion that ended can be taken up again. */
export function retries({ stage }: Spot): Way {
  return operators('retries', { label: 'Retry', permission: 'operate', ...(stage === undefined ? {} : { stage }) });
}

function operators(does: string, action: Wanted): Way {
  return { who: [group('operators')], does, action };
}

function unique(who: readonly (Person | Group)[]): (Person | Group)[] {
  const keys = new Set<string>();
  return who.filter((one) => {
    const key = 'group' in one ? `g:${one.group}` : `p:${one.login ?? one.name}`;
    if (keys.has(key)) return false;
    keys.add(key);
    return true;
  });
}
