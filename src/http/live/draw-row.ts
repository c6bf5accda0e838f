import type { BlockerKind, ChangeRow, State } from '../../answers/change-row.ts';
import type { Clock } from '../../base/clock.ts';
import type { DrawRow } from '../../runtime/live-types.ts';
import { changeRowHtml } from '../../ui/pages/change-row.ts';

/** Draws the rows of open pages, exactly as the pages do. */
export function rowDrawer(clock: Clock): DrawRow {
  return (row, viewer) => {
    const frame = {
      now: clock.now().toISOString(),
      path: '/changes',
      screen: 'changes' as const,
      // Many readers are sent the same row: the page puts in the token that it has.
      ...(viewer === undefined ? {} : { viewer, csrf: '' }),
    };
    return {
      id: row.id,
      rev: row.rev,
      html: changeRowHtml(row, frame).text,
      say: sayRow(row),
    };
  };
}

const DOING: Readonly<Record<Exclude<BlockerKind, 'none'>, string>> = {
  stopped: 'held: the line is stopped',
  'no-signal': 'without a signal',
  ci: 'in its build',
  checks: 'waiting for checks',
  conflict: 'in conflict',
  review: 'waiting for review',
  queue: 'waiting for its turn',
  budget: 'waiting for the error budget',
  risk: 'held for its risk',
  window: 'waiting for its window',
  approval: 'waiting for approval',
  soak: 'soaking',
  sync: 'syncing',
  health: 'becoming healthy',
  tests: 'in tests',
  gate: 'at its gate',
};
const DONE: Partial<Record<State, string>> = {
  passed: 'done',
  warning: 'done',
  superseded: 'replaced',
  failed: 'stopped',
};

/** One short sentence, for those who hear the page: `checkout 1.8.2 now waiting for approval`. */
export function sayRow({ service, version, commit, state, blocker }: ChangeRow): string {
  const { kind, stage } = blocker;
  const doing = kind === 'none' ? (DONE[state] ?? state) : DOING[kind];
  const stopped = state === 'failed' && kind !== 'none' ? `stopped, ${doing}` : doing;
  return `${service} ${version ?? commit.text} now ${stopped}${stage === undefined ? '' : ` in ${stage}`}`;
}
