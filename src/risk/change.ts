import { sha256 } from '../base/ids.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { type ManifestChange, manifestSignals } from './manifests.ts';
import { type RiskSignals, sensitiveKinds, topLevelDirectories } from './signals.ts';

/** What a Git host says of the way from what runs to what is to run. */
export interface Compared {
  commits: readonly { subject: string; author: string }[];
  totalCommits: number;
  files: readonly { path: string; additions: number; deletions: number }[];
  totalFiles: number;
}

/** Who changed where: kept with the answer, so that later changes know who is new there. */
export interface Footprint {
  /** Hashes of names: to be recognised, not to be read. */
  authors: string[];
  /** Top-level directories. */
  directories: string[];
}

/** Kept per change at most. */
const MAX_KEPT = 50;

/** What two commits apart say of a change. `backwards`: what is to run is contained in what runs. */
export function changeSignals(compared: Compared, backwards: boolean): RiskSignals {
  const { commits, totalCommits, files, totalFiles } = compared;
  const paths = files.map(({ path }) => path);
  const counted = files.reduce((sum, { additions, deletions }) => sum + additions + deletions, 0);
  // A host lists the first few hundred files; the others are taken to be like them.
  const lines = files.length === 0 ? 0 : Math.round((counted * Math.max(totalFiles, files.length)) / files.length);
  return {
    lines,
    files: totalFiles,
    directories: topLevelDirectories(paths).length,
    commits: totalCommits,
    sensitive: sensitiveKinds(paths),
    rollback: backwards || (commits.length > 0 && commits.every(({ subject }) => /^Revert "/.test(subject))),
    noDifference: totalFiles === 0,
  };
}

/** What changed manifests say; `more`: there are others that were not read. */
export function imageSignals(changes: readonly ManifestChange[], more: boolean): RiskSignals {
  const { image, configAndImage, versionJump } = manifestSignals(changes);
  return { configAndImage: configAndImage || (more && image), versionJump };
}

export function footprintOf({ commits, files }: Compared): Footprint {
  const authors = [...new Set(commits.map(({ author }) => fingerprint(author)))];
  return {
    authors: authors.slice(0, MAX_KEPT),
    directories: topLevelDirectories(files.map(({ path }) => path)).slice(0, MAX_KEPT),
  };
}

/** How many authors have not changed any of these directories before; `undefined` when nothing was kept. */
export function familiarity(change: Footprint, earlier: readonly Footprint[]): RiskSignals['authors'] {
  if (earlier.length === 0 || change.authors.length === 0) return undefined;
  const known = new Set(
    earlier
      .filter(({ directories }) => directories.some((one) => change.directories.includes(one)))
      .flatMap(({ authors }) => authors),
  );
  return { all: change.authors.length, unfamiliar: change.authors.filter((author) => !known.has(author)).length };
}

/** A person's name as a hash of its plain form. */
export function fingerprint(name: string): string {
  return sha256(name.trim().toLowerCase()).slice(0, 12);
}

/** The footprint out of an answer that carried it. */
export function readFootprint(value: unknown): Footprint | undefined {
  if (!isJsonObject(value)) return undefined;
  const { authors, directories } = value;
  return isTexts(authors) && isTexts(directories) ? { authors, directories } : undefined;
}

export function footprintToJson({ authors, directories }: Footprint): JsonObject {
  return { authors, directories };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
