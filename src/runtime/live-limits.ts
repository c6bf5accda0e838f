import type { LiveGroup } from './live-group.ts';
import type { Subscription } from './live-types.ts';

/** Each costs a read whenever something changes. */
const MAX_GROUPS = 250;
/** The rest is for those who have signed in, however many others there are. */
const MAX_ANONYMOUS = MAX_GROUPS / 2;
/** Of lists that nobody else listens to: as many as one browser asks for, and of strangers some tabs less. */
const MAX_OF_ONE = 64;
const MAX_OF_STRANGER = 40;

/** Why one more list would cost the others too much; `undefined`: there is room for it. */
export function whyNoNewGroup(
  groups: readonly Pick<LiveGroup, 'listeners'>[],
  { viewer, from }: Pick<Subscription, 'viewer' | 'from'>,
): string | undefined {
  const isStranger = viewer === undefined;
  if (groups.length >= MAX_GROUPS) return `${MAX_GROUPS} different lists are listened to already`;
  const ofStrangers = groups.filter(({ listeners }) => every(listeners, (one) => one.viewer === undefined));
  if (isStranger && ofStrangers.length >= MAX_ANONYMOUS)
    return `${MAX_ANONYMOUS} different lists are listened to by readers who have not signed in`;
  const most = isStranger ? MAX_OF_STRANGER : MAX_OF_ONE;
  const own = groups.filter(({ listeners }) => every(listeners, (one) => one.from === from));
  return own.length < most ? undefined : `${most} different lists are listened to from where you are`;
}

function every(listeners: ReadonlySet<Subscription>, fits: (one: Subscription) => boolean): boolean {
  for (const one of listeners) if (!fits(one)) return false;
  return true;
}
