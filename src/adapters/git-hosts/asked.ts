import type { PullRequest } from './git-host.ts';

/** More are not told. */
const MAX_ASKED = 20;

/** Who a pull request's answer says is asked for a review; nothing where nobody is. */
export function asked(people: readonly unknown[], groups: readonly unknown[] = []): Pick<PullRequest, 'asked'> {
  const [named, teams] = [people, groups].map(distinct) as [string[], string[]];
  return named.length + teams.length === 0 ? {} : { asked: { people: named, groups: teams } };
}

function distinct(names: readonly unknown[]): string[] {
  const found = names.filter((name): name is string => typeof name === 'string' && name !== '');
  return [...new Set(found)].slice(0, MAX_ASKED);
}
