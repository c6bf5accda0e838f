/**
 * What a caller may do: `read` what is shown, `report` events and ask for evaluations, bring a `query` of their own to
 * them, `decide` what waits for a person, `operate` (retry, pause, resume, abort, override, roll back, stop the line),
 * `administer` tokens and sessions.
 */
export const PERMISSIONS = ['read', 'report', 'query', 'decide', 'operate', 'administer'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What somebody may do, from the least to the most. */
export const ROLES = ['viewer', 'approver', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** A role; an approver's may be for some stages only. */
export interface Grant {
  role: Role;
  stages?: readonly string[];
}

export interface Rights {
  may: readonly Permission[];
  roles: readonly Role[];
  /** In which stages `decide` counts. */
  stages: 'all' | readonly string[];
  /** Where all but reading counts; absent: in every project. */
  projects?: readonly string[];
}

export const MAY: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ['read'],
  approver: ['read', 'decide'],
  operator: ['read', 'report', 'decide', 'operate'],
  admin: PERMISSIONS,
};

export const NO_RIGHTS: Rights = { may: [], roles: [], stages: [] };

/** All that several roles allow together. */
export function rightsOf(grants: readonly Grant[]): Rights {
  const may = PERMISSIONS.filter((permission) => grants.some(({ role }) => MAY[role].includes(permission)));
  const roles = ROLES.filter((role) => MAY[role].every((permission) => may.includes(permission)));
  const deciding = grants.filter(({ role }) => MAY[role].includes('decide'));
  const everywhere = deciding.some(({ role, stages }) => role !== 'approver' || stages === undefined);
  return { may, roles, stages: everywhere ? 'all' : unique(deciding.flatMap(({ stages }) => stages ?? [])) };
}

/**
 * What single permissions allow. `decide` has always meant every decision everywhere, and does so unless stages are
 * named.
 */
function rightsOfPermissions(named: readonly Permission[], stages: readonly string[] | undefined): Rights {
  const operates = named.includes('operate') || (named.includes('decide') && stages === undefined);
  const may = PERMISSIONS.filter((one) => named.includes(one) || (one === 'operate' && operates));
  const roles = ROLES.filter((role) => MAY[role].every((one) => may.includes(one) || one === 'report'));
  return { may, roles, stages: may.includes('decide') ? (stages ?? 'all') : [] };
}

/** How a token says what it allows. */
export interface NamedRights {
  may?: readonly Permission[] | undefined;
  roles?: readonly Role[] | undefined;
  /** Where it may decide; absent: everywhere. */
  stages?: readonly string[] | undefined;
  /** In which projects it may more than read; absent: in all. */
  projects?: readonly string[] | undefined;
}

/** What a token allows that names permissions, roles or both. */
export function rightsNamed({ may = [], roles = [], stages, projects }: NamedRights): Rights {
  const granted = roles.map((role) => ({ role, ...(stages === undefined ? {} : { stages }) }));
  const rights = bothRights(rightsOfPermissions(may, stages), rightsOf(granted));
  return projects === undefined ? rights : { ...rights, projects };
}

/** Why stages that are named would only look as if they restricted something; `undefined`: they do. */
export function whyStagesRestrictNothing({ may = [], roles = [], stages }: NamedRights): string | undefined {
  if (stages === undefined) return undefined;
  const everywhere = roles.find((role) => role === 'operator' || role === 'admin');
  const decides = roles.includes('approver') || may.includes('decide');
  if (everywhere === undefined && !may.includes('operate') && decides) return undefined;
  const why =
    everywhere === undefined ? 'it does not decide in some stages only' : `the role ${everywhere} decides everywhere`;
  return `restricts nothing, for ${why}: take stages with the role approver, or with may: [decide]`;
}

/** The same of projects. */
export function whyProjectsRestrictNothing(named: NamedRights): string | undefined {
  if (named.projects === undefined) return undefined;
  const { may } = rightsNamed(named);
  if (may.includes('administer'))
    return 'restricts nothing, for whoever administers makes tokens for every project: leave administer, or the role admin, out';
  return may.some((one) => one !== 'read')
    ? undefined
    : 'restricts nothing, for it only reads, which all projects allow';
}

/** What both allow together. */
function bothRights(one: Rights, other: Rights): Rights {
  return {
    may: PERMISSIONS.filter((permission) => one.may.includes(permission) || other.may.includes(permission)),
    roles: ROLES.filter((role) => one.roles.includes(role) || other.roles.includes(role)),
    stages: one.stages === 'all' || other.stages === 'all' ? 'all' : unique([...one.stages, ...other.stages]),
  };
}

/** The stages of these in which somebody may not decide. */
export function closedStages(rights: Pick<Rights, 'stages'>, stages: readonly string[]): string[] {
  const { stages: open } = rights;
  return open === 'all' ? [] : stages.filter((stage) => !open.includes(stage));
}

/** Whether somebody may do there what they may do at all. */
export function isOpenProject({ projects }: Pick<Rights, 'projects'>, project: string): boolean {
  return projects === undefined || projects.includes(project);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
