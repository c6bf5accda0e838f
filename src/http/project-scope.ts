import { isOpenProject } from '../base/rights.ts';
import type { Report } from '../events/report.ts';
import type { Holder } from './authentication.ts';
import { Refusal } from './problem.ts';

/** Who asks, as far as it matters where they may. */
export type Scope = Pick<Holder, 'name' | 'method' | 'projects'>;

/**
 * Refuses what is for projects that are not theirs. `undefined`: for no project in particular, and so for all of them.
 *
 * @throws {Refusal}
 */
export function refuseProject(scope: Scope, project: string | undefined): void {
  const { projects = [] } = scope;
  if (scope.projects === undefined || (project !== undefined && isOpenProject(scope, project))) return;
  const what = project === undefined ? 'and this names none of them' : `not for ${project}`;
  throw new Refusal(403, 'forbidden', `${nameOf(scope)} is for ${sayProjects(projects)} only, ${what}`);
}

/** A report within what its sender may say: whoever is for one project need not name it. @throws {Refusal} */
export function reportWithin(report: Report, scope: Scope): Report {
  const { projects } = scope;
  if (projects === undefined) return report;
  const project = report.project ?? (projects.length === 1 ? projects[0] : undefined);
  refuseProject(scope, project);
  return project === undefined ? report : { ...report, project };
}

function nameOf({ name, method }: Scope): string {
  return `${method === 'token' ? 'the token of ' : ''}${name}`;
}

function sayProjects(projects: readonly string[]): string {
  return `${projects.length === 1 ? 'the project' : 'the projects'} ${projects.join(', ')}`;
}
