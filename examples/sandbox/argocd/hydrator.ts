import { setTimeout as sleep } from 'node:timers/promises';
import { inBareRepository } from '../git.ts';
import type { Repositories } from './repositories.ts';
import { timestamp } from './resources.ts';

/** Of an application whose manifests are rendered to another branch before they are synced. */
export interface HydratorWish {
  /** Where people write: branch and folder. */
  dryRevision: string;
  dryPath?: string;
  /** Written instead of the branch that is synced; somebody else brings it there. */
  hydrateTo?: string;
}

export interface HydratorSpec {
  drySource: { repoURL: string; path: string; targetRevision: string };
  syncSource: { targetBranch: string; path: string };
  hydrateTo?: { targetBranch: string };
}

export interface HydratorStatus {
  currentOperation?: {
    phase: 'Hydrating' | 'Hydrated' | 'Failed';
    /** Not before it is known to have been rendered. */
    drySHA?: string;
    hydratedSHA?: string;
    message: string;
    startedAt: string;
    finishedAt?: string;
    sourceHydrator: HydratorSpec;
  };
  lastComparedDryRevision?: string;
  lastSuccessfulOperation?: { drySHA: string; hydratedSHA: string; sourceHydrator: HydratorSpec };
}

export function hydratorSpec(repoURL: string, branch: string, path: string, wish: HydratorWish): HydratorSpec {
  return {
    drySource: { repoURL, path: wish.dryPath ?? '.', targetRevision: wish.dryRevision },
    syncSource: { targetBranch: branch, path },
    ...(wish.hydrateTo === undefined ? {} : { hydrateTo: { targetBranch: wish.hydrateTo } }),
  };
}

/**
 * Renders what is new on the dry branch, if anything is: "rendering" puts the texts of a folder into one
 * manifest. One that comes out the same makes no new commit.
 *
 * @param failure what goes wrong this time
 */
export async function hydrate(
  app: string,
  spec: HydratorSpec,
  status: HydratorStatus,
  tools: { repositories: Repositories; moved: () => void; takesMs: number; failure: string | undefined },
): Promise<void> {
  const { drySource, syncSource, hydrateTo } = spec;
  const branch = hydrateTo?.targetBranch ?? syncSource.targetBranch;
  const drySHA = await tools.repositories.resolve(drySource.repoURL, drySource.targetRevision);
  const { currentOperation: current, lastComparedDryRevision } = status;
  const problem = problemWith(app, branch, syncSource.path, tools.failure);
  const isDone = lastComparedDryRevision === drySHA && (current?.phase !== 'Failed' || problem !== undefined);
  if (drySHA === undefined || isDone || current?.phase === 'Hydrating') return;
  const operation = { startedAt: timestamp(), message: '', sourceHydrator: spec };
  status.lastComparedDryRevision = drySHA;
  status.currentOperation = { ...operation, phase: 'Hydrating' };
  tools.moved();
  await sleep(tools.takesMs);
  if (problem !== undefined) {
    const message = `Failed to hydrate: ${problem}`;
    status.currentOperation = { ...operation, phase: 'Failed', message, finishedAt: timestamp() };
    return tools.moved();
  }
  const files = await tools.repositories.files(drySource.repoURL, drySHA, drySource.path);
  const target = { branch, from: `refs/heads/${syncSource.targetBranch}`, path: syncSource.path };
  const hydratedSHA = write(drySource.repoURL, target, rendered(files), drySHA);
  status.currentOperation = { ...operation, phase: 'Hydrated', drySHA, hydratedSHA, finishedAt: timestamp() };
  status.lastSuccessfulOperation = { drySHA, hydratedSHA, sourceHydrator: spec };
  tools.moved();
}

/** In the words of Argo CD, which names no commit that cannot be rendered. */
function problemWith(app: string, branch: string, path: string, failure: string | undefined): string | undefined {
  if (path === '.')
    return `app is configured to hydrate to the repository root (branch "${branch}", path ".") which is not allowed`;
  if (failure === undefined) return undefined;
  const steps = `failed to get manifests: failed to get repo objects for app "${app}": failed to get repo objects`;
  const cause = 'failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc';
  return `${steps}: ${cause} = ${failure}`;
}

/** What is for Lynceus is no manifest. */
function rendered(files: Readonly<Record<string, string>>): string {
  const manifests = Object.entries(files).filter(([name]) => !/(?:delivery|slo|sli)\.yaml$/.test(name));
  return manifests.map(([name, text]) => `# ${name}\n${text}`).join('---\n');
}

function write(
  repository: string,
  { branch, from, path }: { branch: string; from: string; path: string },
  manifest: string,
  drySha: string,
): string {
  const git = inBareRepository(repository);
  const file = `${path}/manifest.yaml`;
  const tip = git.sha(`refs/heads/${branch}`);
  if (tip !== undefined && git.tries('cat-file', '-e', `${tip}:${file}`)) {
    if (git.git('show', `${tip}:${file}`) === manifest.trimEnd()) return tip;
  }
  const subject = git.git('show', '-s', '--format=%s', drySha);
  const metadata = `${JSON.stringify({ repoURL: repository, drySha, subject }, null, 2)}\n`;
  const files = { [file]: manifest, [`${path}/hydrator.metadata`]: metadata, 'hydrator.metadata': metadata };
  return git.commit({ branch, from, files, message: `${drySha.slice(0, 7)}: ${subject}` });
}
