import type { Application } from '../events/application.ts';
import { deployedRevision } from './rollout.ts';

/** Argo CD's own word for what an application is made of; several, parted by semicolons. */
const ANNOTATION = 'argocd.argoproj.io/manifest-generate-paths';

/** Where in its repository the files of an application are. */
export interface OwnPaths {
  /** Folders and files from the root; `''`: everything. */
  paths: string[];
  /** The team says so; otherwise it is only the folder that is rendered, which may use others. */
  isDeclared: boolean;
}

/** The paths of an application with one source in Git; `undefined`: it has others as well. */
export function ownPaths({ source, sources, annotations, hydration }: Application): OwnPaths | undefined {
  if (sources.length > 1 || (source.kind ?? 'git') !== 'git' || hydration) return undefined;
  const own = normal(source.path);
  const declared = (annotations[ANNOTATION] ?? '').split(';').map((path) => path.trim());
  const paths = declared.filter((path) => path !== '').map((path) => fromRoot(own, path));
  return paths.length > 0 ? { paths: [own, ...paths], isDeclared: true } : { paths: [own], isDeclared: false };
}

/** Whether one of the files is, or is below, one of the paths. */
export function touches({ paths }: OwnPaths, files: readonly string[]): boolean {
  return files.some((file) => paths.some((path) => path === '' || file === path || file.startsWith(`${path}/`)));
}

/**
 * Whether the delivery system has something to deploy for the commit that it asks for now, or has deployed it. A folder
 * may use what is outside of it, and whoever renders it knows best.
 */
export function hasWork(application: Application): boolean {
  const { syncStatus, operation, operationRequested, targetRevision } = application;
  if (syncStatus !== 'Synced' || operationRequested || operation?.phase === 'Running') return true;
  return deployedRevision(application) === targetRevision;
}

/** What goes on in the stage that an application is in. */
export interface Traffic {
  /** A change is between its start and its promotion. */
  inFlight: boolean;
  /** A change waits for its promotion. */
  promoting: boolean;
  /** The newest change ended because the delivery system went on to a newer commit. */
  passedBy: boolean;
  /** The commit of the newest change. */
  newest?: string;
}

/**
 * What a commit is to an application that has the same files in it as before. `later`: the delivery system has yet to
 * deploy a change of ours, and may deploy this commit in its place; then that is what has to be verified.
 */
export function judgeUntouched(
  application: Application,
  { isDeclared }: OwnPaths,
  { inFlight, promoting, passedBy, newest }: Traffic,
): 'nothing' | 'a change' | 'later' {
  const works = hasWork(application);
  const deployed = deployedRevision(application);
  const isDeployed = deployed === application.targetRevision;
  if (isDeployed && (inFlight || promoting)) return 'a change';
  // A sync of ours names its commit, so what the team knows to be none of its business is deployed by nobody.
  if (inFlight) return works && (application.automated || !isDeclared) ? 'later' : 'nothing';
  if (passedBy) return 'a change';
  // Out of sync by a change that was not deployed here, it says nothing about this commit.
  const isExplained = isDeclared || (newest !== undefined && deployed !== newest && !isDeployed);
  return works && !isExplained ? 'a change' : 'nothing';
}

/** A pattern counts as the folder that it begins with. */
function fromRoot(own: string, path: string): string {
  const glob = path.search(/[*?[]/);
  const plain = glob < 0 ? path : path.slice(0, path.lastIndexOf('/', glob) + 1);
  return normal(path.startsWith('/') ? plain : `${own}/${plain}`);
}

/** Without dots and double slashes; what leads out of the repository is everything. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return '';
  }
  return parts.join('/');
}
