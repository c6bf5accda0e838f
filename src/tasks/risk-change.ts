import type { Comparison, GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { RiskSignalKey } from '../definitions/delivery-risk.ts';
import { inGit } from '../engine/in-git.ts';
import { changeSignals, type Footprint, footprintOf, imageSignals } from '../risk/change.ts';
import { isManifest, type ManifestChange } from '../risk/manifests.ts';
import type { RiskSignals } from '../risk/signals.ts';
import type { TaskInput, TaskTools } from './task.ts';

/** What Git says of a change; it never changes, so it is kept while the checks wait. */
export interface ReadChange {
  signals: RiskSignals;
  footprint?: Footprint;
  /** Asking again may say more. */
  incomplete?: boolean;
}

const FROM_GIT: readonly RiskSignalKey[] = ['size', 'files', 'diffusion', 'batch', 'sensitivePaths', 'noDifference'];
const FROM_MANIFESTS: readonly RiskSignalKey[] = ['configAndImage', 'versionJump'];
/** Each is read twice, and a host counts our calls. */
const MAX_MANIFESTS = 6;

/** Compares what runs with what is to run. A host that cannot be asked leaves signals unknown, and says why. */
export async function readChange(input: TaskInput, tools: TaskTools): Promise<ReadChange> {
  const { repository, previousRevision, revision } = inGit(input.triggered);
  if (previousRevision === undefined) {
    return { signals: unknownFrom([...FROM_GIT, 'rollback'], 'nothing ran here before to compare with') };
  }
  try {
    const host = tools.gitHost(repository);
    if (!host) return { signals: unknownFrom(FROM_GIT, 'no Git host is configured') };
    return await compareWay({ host, repository, from: previousRevision, to: revision, signal: input.signal });
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason === 'cancelled') throw error;
    return { signals: unknownFrom([...FROM_GIT, 'rollback'], error.message), incomplete: error.reason !== 'not-found' };
  }
}

/** From one commit to another, by their full names. */
export interface Way {
  host: GitHost;
  repository: Repository;
  from: string;
  to: string;
  signal: AbortSignal;
}

/**
 * What lies between two commits.
 *
 * @throws {AdapterError} when they cannot be compared; manifests that cannot be read only leave signals unknown
 */
export async function compareWay(way: Way): Promise<ReadChange> {
  const { host, repository, from, to, signal } = way;
  const there = await host.compare(repository, from, to, { signal });
  // Nothing ahead: it lies behind what runs, or is the same; the way back says how far.
  const back =
    there.totalCommits === 0 && from !== to ? await host.compare(repository, to, from, { signal }) : undefined;
  const compared = back ?? there;
  const backwards = (back?.totalCommits ?? 0) > 0;
  return {
    signals: { ...changeSignals(compared, backwards), ...(await readManifests(way, compared)) },
    footprint: footprintOf(compared),
  };
}

async function readManifests({ host, repository, from, to, signal }: Way, { files }: Comparison): Promise<RiskSignals> {
  const paths = files.map(({ path }) => path).filter(isManifest);
  try {
    const changes: ManifestChange[] = [];
    for (const path of paths.slice(0, MAX_MANIFESTS)) {
      const [before, after] = [
        await host.readFile(repository, from, path, { signal }),
        await host.readFile(repository, to, path, { signal }),
      ];
      changes.push({ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) });
    }
    return imageSignals(changes, paths.length > MAX_MANIFESTS);
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason === 'cancelled') throw error;
    return unknownFrom(FROM_MANIFESTS, error.message);
  }
}

function unknownFrom(keys: readonly RiskSignalKey[], why: string): RiskSignals {
  return { unknown: Object.fromEntries(keys.map((key) => [key, why])) };
}
