import type { Viewer } from '../../../answers/viewer.ts';
import { isOpenProject } from '../../../base/rights.ts';
import type { ChangeView, StageView } from '../../../views/change.ts';
import type { Frame } from '../../frame.ts';

/**
 * Why who reads cannot decide here; `undefined`: they may try. The service has the last word: this only spares people
 * from filling in a form in vain.
 */
export function whyNotDecide(
  frame: Frame,
  { project }: Pick<ChangeView, 'project'>,
  stage: StageView,
  decide: NonNullable<StageView['decide']>,
): string | undefined {
  const { viewer } = frame;
  if (viewer === undefined) return unknownReader(frame);
  if (!hasRole(viewer, ['approver', 'operator', 'admin'])) return 'it takes the role approver';
  if (!isOpenProject(viewer, project)) return elsewhere(viewer);
  const where = decide.what === 'promotion' ? (stage.pullRequest?.to ?? stage.stage) : stage.stage;
  if (viewer.stages !== 'all' && !viewer.stages.includes(where))
    return viewer.stages.length === 0
      ? 'you may decide in no stage'
      : `you may decide in ${viewer.stages.join(', ')} only`;
  // Promotions may be approved by people by name as well: who they are is checked when they decide.
  if (decide.what !== 'approval' || decide.groups.length === 0) return undefined;
  if (decide.groups.some((group) => viewer.groups.includes(group))) return undefined;
  return `you are not in ${decide.groups.join(' or ')}`;
}

/** Why who reads cannot change the course of a delivery; `undefined`: they may try. */
export function whyNotOperate(frame: Frame, { project }: Pick<ChangeView, 'project'>): string | undefined {
  const { viewer } = frame;
  if (viewer === undefined) return unknownReader(frame);
  if (!hasRole(viewer, ['operator', 'admin'])) return 'it takes the role operator';
  return isOpenProject(viewer, project) ? undefined : elsewhere(viewer);
}

function elsewhere({ projects = [] }: Viewer): string {
  return `you may do that in the project${projects.length === 1 ? '' : 's'} ${projects.join(', ')} only`;
}

/** Where there is no page to sign in at, the browser asks for a token when the form is sent. */
function unknownReader({ signIn }: Frame): string | undefined {
  return signIn === undefined ? undefined : 'sign in first';
}

function hasRole({ roles }: Viewer, wanted: readonly Viewer['roles'][number][]): boolean {
  return roles.some((role) => wanted.includes(role));
}
