import { sayDuration } from '../base/duration.ts';
import type { Stage, Window } from '../definitions/delivery.ts';

/** Something that is asked before or after a promotion is merged. */
export interface Asked {
  when: string;
  what: string;
}

/** What delivery.yaml has asked on the way from one stage to the next, in that order. */
export function askedFor(from: Stage, to: Stage): Asked[] {
  return [...beforeOpening(from), ...beforeMerging(from), ...beforeDeploying(to)];
}

function beforeOpening({ name, soakMs, promotion }: Stage): Asked[] {
  const when = 'before it is opened';
  return [
    { when, what: `${name} passes${promotion?.onWarning === 'none' ? '' : ', or warns'}` },
    ...(soakMs === undefined ? [] : [{ when, what: `it ran healthy for ${sayDuration(soakMs)}` }]),
  ];
}

function beforeMerging({ promotion }: Stage): Asked[] {
  const when = 'before it is merged';
  const { approval, windows = [], merge = 'lynceus' } = promotion ?? {};
  const automatic = promotion?.onPass === 'automatic' && approval === undefined;
  const who = approval ? [...approval.groups, ...approval.people] : [];
  const quorum = approval?.quorum ?? 1;
  const review = `${quorum} ${quorum === 1 ? 'person approves' : 'people approve'} it${who.length === 0 ? '' : `, of ${who.join(', ')}`}`;
  const merger = { lynceus: 'Lynceus merges it', person: 'a person merges it', host: 'the Git host merges it' }[merge];
  return [
    { when, what: automatic ? 'nobody is asked after a pass' : review },
    ...windows.map((window) => ({ when, what: sayWindow(window) })),
    { when: 'then', what: merger },
  ];
}

function beforeDeploying({ name, checks, approval, sync }: Stage): Asked[] {
  const when = sync === 'gated' ? `before ${name} is synced` : `in ${name}, as it is synced`;
  const { errorBudget, risk, windows } = checks;
  return [
    ...(errorBudget
      ? [{ when, what: `the error budget has more than ${percent(errorBudget.minimumRemaining)} left` }]
      : []),
    ...(risk ? [{ when, what: `the risk is at most ${risk.approvalAbove}, or a person agrees` }] : []),
    ...windows.map((window) => ({ when, what: sayWindow(window) })),
    ...(approval
      ? [{ when, what: `${approval.quorum} of ${approval.groups.join(', ') || 'those who may decide'} approve` }]
      : []),
  ];
}

function sayWindow({ kind, text, timeZone, reason }: Window): string {
  const why = reason === '' ? '' : ` (${reason})`;
  return `${kind === 'deny' ? 'it is not' : 'it is'} ${text} ${timeZone}${why}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`;
}
