import { expect, it } from 'vitest';
import type { Viewer } from '../../src/answers/viewer.ts';
import { whyNoNewGroup } from '../../src/runtime/live-limits.ts';

const ADA: Viewer = { name: 'ada', groups: [], roles: ['viewer'], stages: [] };
/** Lists, each listened to by these: `stranger/…` has not signed in. */
const lists = (count: number, ...from: string[]) =>
  Array.from({ length: count }, (_, nth) => ({
    listeners: new Set(
      from.map((one) => ({
        topic: { kind: 'fleet', name: 'fleet' } as const,
        viewer: one.startsWith('stranger') ? undefined : ADA,
        from: one.replace('#', String(nth)),
        send: () => {},
      })),
    ),
  }));
const asks = (from: string) => ({ from, viewer: from.startsWith('stranger') ? undefined : ADA });

it.each([
  ['a stranger, to whom half is shut', lists(125, 'stranger/#'), 'stranger/new', /^125 .* have not signed in/],
  ['ada, to whom the other half is not', lists(125, 'stranger/#'), 'ada', undefined],
  ['ada, of nothing but her own', lists(64, 'ada'), 'ada', /^64 .* from where you are/],
  ['ada, of what others listen to as well', lists(64, 'ada', 'eva'), 'ada', undefined],
  ['a stranger, of nothing but their own', lists(40, 'stranger/1'), 'stranger/1', /^40 .* from where you are/],
  [
    'a stranger, of what somebody listens to who has signed in',
    lists(125, 'stranger/1', 'ada'),
    'stranger/1',
    undefined,
  ],
  ['anybody, of too many in all', lists(250, 'ada', 'eva'), 'lin', /^250 different lists/],
] as const)('one more list for %s', (_what, groups, from, why) => {
  const said = whyNoNewGroup(groups, asks(from));
  if (why === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(why);
});
