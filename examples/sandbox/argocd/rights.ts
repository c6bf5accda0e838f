import { Refusal } from './controller.ts';

export interface Rights {
  allowedProjects?: readonly string[];
  hiddenProjects?: readonly string[];
  /** `applications sync` */
  missingRights?: readonly string[];
}

const RESOURCES =
  'clusters projects applications applicationsets repositories write-repositories certificates accounts gpgkeys logs exec extensions';
/** What the account may do everywhere; projects may be read, unless they are hidden. */
const GRANTED: ReadonlySet<string> = new Set([
  'applications get',
  'applications sync',
  'applications override',
  'projects get',
]);

/** Whether the account may; applications are named with their AppProject in front. */
export function answerCanI(rights: Rights, resource: string, action: string, object: string): boolean {
  if (!RESOURCES.split(' ').includes(resource)) throw new Refusal(3, `[${RESOURCES}] does not contain ${resource}`);
  const right = `${resource} ${action}`;
  const [project = '', ...below] = object.split('/');
  // A policy of `PROJECT/*` does not cover the bare name.
  if (resource === 'applications' && below.length === 0) return false;
  if (rights.allowedProjects?.includes(project) === false) return false;
  if (resource === 'projects' && rights.hiddenProjects?.includes(project) === true) return false;
  return GRANTED.has(right) && rights.missingRights?.includes(right) !== true;
}
