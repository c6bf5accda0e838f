import type { Role } from '../base/rights.ts';

export { ROLES, type Role } from '../base/rights.ts';

/** Who reads or decides. */
export interface Viewer {
  name: string;
  groups: readonly string[];
  /** What stands for their mail address, where the provider vouches for it. */
  mail?: string;
  /** Teams whose changes are "my team's". */
  teams?: readonly string[];
  roles: readonly Role[];
  /** In which stages an approver may decide. */
  stages: 'all' | readonly string[];
  /** Where they may more than read; absent: in every project. */
  projects?: readonly string[];
}
