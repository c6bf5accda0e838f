import type { ApplicationObject } from './resources.ts';

/** An ApplicationSet that syncs its applications step by step, as `spec.strategy.rollingSync` says. */
export interface RollingSync {
  applicationSet: string;
  steps: {
    /** Labels with the values that belong to the step. */
    match: Record<string, string[]>;
    /** How many at a time; 0: none, the step waits until somebody syncs them. Default all. */
    maxUpdate?: number;
  }[];
}

/** The operation that the ApplicationSet controller writes: no commit is pinned. */
export const ROLLING_SYNC = {
  sync: { prune: true },
  initiatedBy: { username: 'applicationset-controller', automated: true },
  info: [{ name: 'Reason', value: 'ApplicationSet RollingSync triggered a sync of this Application resource' }],
  retry: { limit: 5 },
};

/** Which applications are synced now: those of the first step that is not through, as many as it lets at a time. */
export function dueNow({ applicationSet, steps }: RollingSync, all: readonly ApplicationObject[]): ApplicationObject[] {
  const own = all.filter(({ metadata }) => metadata.ownerReferences?.some(({ name }) => name === applicationSet));
  for (const { match, maxUpdate } of steps) {
    const members = own.filter(({ metadata: { labels } }) =>
      Object.entries(match).every(([key, values]) => values.includes(labels[key] ?? '')),
    );
    const open = members.filter((member) => !isThrough(member));
    if (open.length === 0) continue;
    const atWork = open.filter(({ operation, status }) => operation !== undefined || status.sync.status === 'Synced');
    const waiting = open.filter((member) => !atWork.includes(member));
    return waiting.slice(0, Math.max(0, (maxUpdate ?? members.length) - atWork.length));
  }
  return [];
}

function isThrough({ operation, status }: ApplicationObject): boolean {
  return operation === undefined && status.sync.status === 'Synced' && status.health.status === 'Healthy';
}
