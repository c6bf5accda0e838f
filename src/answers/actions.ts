import { closedStages, isOpenProject } from '../base/rights.ts';
import type { ChangeFacts } from './change-facts.ts';
import type { Action, Group, Person, Unblock } from './change-row.ts';
import type { Wanted, Way } from './told.ts';
import type { Viewer } from './viewer.ts';
import { CONNECTIONS } from './ways.ts';

/** So many people are named; of the rest the number is told. */
const MAX_NAMED = 3;
/** Words for whoever has a role, where no group is named. */
const ROLE_WORDS: Readonly<Record<string, 'approver' | 'operator'>> = { approvers: 'approver', operators: 'operator' };

type Whose = Pick<ChangeFacts, 'id' | 'project'>;

/** A way out, as the one who reads sees it: they come first, and what they may do is a button. */
export function asUnblock(change: Whose, { who, does, until, action, nobody }: Way, viewer?: Viewer): Unblock {
  const isMe = (one: Person | Group) => viewer !== undefined && includes(one, viewer);
  const ordered = [...who.filter(isMe), ...who.filter((one) => !isMe(one))];
  const wanted = nobody ? { label: 'Connections', href: CONNECTIONS } : action;
  return {
    who: ordered.slice(0, MAX_NAMED),
    more: Math.max(0, ordered.length - MAX_NAMED),
    you: who.some(isMe),
    ...(until === undefined ? {} : { until }),
    ...(does === undefined || does === '' ? {} : { does }),
    ...(wanted === undefined ? {} : { action: actionOf(change, wanted, viewer) }),
  };
}

/** Whether somebody is named, by themselves or by a group, team or role. */
function includes(one: Person | Group, viewer: Viewer): boolean {
  if (!('group' in one)) return one.name === viewer.name || one.login === viewer.name;
  const role = ROLE_WORDS[one.group];
  if (role !== undefined && viewer.roles.includes(role)) return true;
  return viewer.groups.includes(one.group) || (viewer.teams ?? []).includes(one.group);
}

function actionOf({ id, project }: Whose, wanted: Wanted, viewer: Viewer | undefined): Action {
  const why = whyNot(wanted, project, viewer);
  const needs = needsOf(wanted);
  return {
    label: wanted.label,
    href: wanted.href ?? `/changes/${encodeURIComponent(id)}#decision`,
    method: 'GET',
    ...(needs === undefined ? {} : { needs }),
    allowed: why === undefined,
    ...(why === undefined ? {} : { why }),
  };
}

/** The role or the groups that it takes. */
function needsOf({ permission, groups = [] }: Wanted): string | undefined {
  if (permission === undefined) return undefined;
  if (groups.length > 0) return groups.join(', ');
  return permission === 'decide' ? 'approver' : 'operator';
}

/** As the service will say when it is tried; `undefined`: it may be. */
function whyNot(
  { permission, stage, groups = [], people = [] }: Wanted,
  project: string,
  viewer: Viewer | undefined,
): string | undefined {
  if (permission === undefined) return undefined;
  if (!viewer) return 'Sign in first.';
  const role = permission === 'decide' ? 'approver' : 'operator';
  if (!viewer.roles.includes(role)) return `You are not ${role === 'approver' ? 'an approver' : 'an operator'}.`;
  if (!isOpenProject(viewer, project)) return `You may not do that in ${project}.`;
  if (permission === 'decide' && stage !== undefined && closedStages(viewer, [stage]).length > 0)
    return `You may not decide in ${stage}.`;
  const isNamed = people.includes(viewer.name) || groups.some((group) => viewer.groups.includes(group));
  if (groups.length + people.length === 0 || isNamed) return undefined;
  return `You are not in ${[...groups, ...people].slice(0, MAX_NAMED).join(' or ')}.`;
}
