/** What somebody may do, from the least to the most. */
export const ROLES = ['viewer', 'approver', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who reads or decides. */
export interface Viewer {
  name: string;
  groups: readonly string[];
  /** Teams whose changes are "my team's". */
  teams?: readonly string[];
  roles: readonly Role[];
  /** In which stages an approver may decide. */
  stages: 'all' | readonly string[];
}
