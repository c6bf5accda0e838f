import { isName } from './written.ts';

/** Whom an application belongs to. */
export interface Belonging {
  team?: string;
  /** Logins, and groups as `group:name`. */
  owners?: string[];
}

const MAX_OWNERS = 10;
const OWNER = /^[^\s\p{C},]{1,100}$/u;

/**
 * Reads the label (or annotation) `team` and the annotation `owners`: `ada, @omar, acme/sre, group:on-call`. A name with a
 * slash is a group, as Git hosts name theirs. What is no name is left out.
 */
export function belongingOf(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  prefix: string,
): Belonging {
  const team = [labels[`${prefix}/team`], annotations[`${prefix}/team`]].find(
    (one) => one !== undefined && isName(one),
  );
  const owners = (annotations[`${prefix}/owners`] ?? '')
    .split(',')
    .map((owner) => owner.trim().replace(/^@/, ''))
    .filter((owner) => OWNER.test(owner))
    .map((owner) => (owner.includes('/') && !owner.startsWith('group:') ? `group:${owner}` : owner));
  return {
    ...(team === undefined ? {} : { team }),
    ...(owners.length === 0 ? {} : { owners: [...new Set(owners)].slice(0, MAX_OWNERS) }),
  };
}
