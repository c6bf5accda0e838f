import type { PromotionChange } from '../../definitions/delivery-changes.ts';
import type { Problem } from '../../definitions/problem.ts';
import { folderOf, liesIn } from '../../definitions/repository-path.ts';
import { parseValuePath } from '../../definitions/value-path.ts';
import type { FileEdit } from '../file-edit.ts';
import { putValue } from './change-file.ts';
import { originOf } from './changes.ts';
import { setHelmChart, setOciRepository } from './charts.ts';
import { copyFolder } from './copy.ts';
import { setImagePolicy } from './image-policy.ts';
import { type Digests, type ImageQuestion, setKustomizeImage } from './images.ts';
import { newValue, readScalar, readText } from './new-value.ts';
import { EditRefusal } from './open-file.ts';
import { createWorkspace, type EditSummary, type TreeReader, type Workspace } from './workspace.ts';

/** What has to be read of a commit before edits can be planned. */
export interface Needs {
  files: string[];
  folders: string[];
}

export interface PlannedEdits {
  /** At most one for each path; none: the target has everything already. */
  edits: FileEdit[];
  summary: EditSummary[];
  /** With one of them nothing may be written. */
  problems: Problem[];
  /** Digests that a registry has to say first. */
  unresolved: ImageQuestion[];
}

const MAX_PROBLEMS = 20;

/** What of the verified commit (`source`) and of the target branch's head has to be read for these changes. */
export function needs(changes: readonly PromotionChange[]): { source: Needs; target: Needs } {
  const source = { files: new Set<string>(), folders: new Set<string>() };
  const target = { files: new Set<string>(), folders: new Set<string>() };
  for (const [index, { copy, ...other }] of changes.entries()) {
    if (copy) {
      source.folders.add(copy.from);
      target.folders.add(copy.to);
      for (const { file } of copy.keep ?? []) {
        source.files.add(`${copy.from}/${file}`);
        target.files.add(`${copy.to}/${file}`);
      }
    }
    for (const body of Object.values(other)) {
      target.files.add(body.file);
      target.folders.add(folderOf(body.file));
      const origin = originOf(body.from);
      if (origin) source.files.add(origin.file);
      // An earlier copy may bring the file along.
      for (const earlier of changes.slice(0, index)) {
        if (!earlier.copy || !liesIn(body.file, earlier.copy.to)) continue;
        source.files.add(earlier.copy.from + body.file.slice(earlier.copy.to.length));
      }
    }
  }
  return { source: toNeeds(source), target: toNeeds(target) };
}

/** A folder that lies in another one is read with it. */
function toNeeds({ files, folders }: { files: Set<string>; folders: Set<string> }): Needs {
  const outer = [...folders].filter((one) => ![...folders].some((other) => other !== one && liesIn(one, other)));
  return { files: [...files].sort(), folders: outer.sort() };
}

/**
 * What a promotion writes on the target's branch. The values are those of `source`, the verified commit. Done again on
 * its own outcome, it changes nothing.
 */
export function planEdits(
  changes: readonly PromotionChange[],
  source: TreeReader,
  target: TreeReader,
  digestOf: Digests = () => undefined,
): PlannedEdits {
  const work = createWorkspace(source, target);
  const problems: Problem[] = [];
  const unresolved: ImageQuestion[] = [];
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof EditRefusal)) throw error;
      problems.push(error.problem);
      work.forget();
    }
  };
  for (const change of changes) {
    if (problems.length >= MAX_PROBLEMS) break;
    attempt(() => {
      const question = applyChange(work, change, digestOf);
      if (question) unresolved.push(question);
    });
  }
  attempt(() => work.requireSound());
  const edits = problems.length > 0 || unresolved.length > 0 ? [] : work.edits();
  const edited = new Set(edits.map(({ path }) => path));
  return { edits, summary: work.summary().filter(({ path }) => edited.has(path)), problems, unresolved };
}

function applyChange(work: Workspace, change: PromotionChange, digestOf: Digests): ImageQuestion | undefined {
  if (change.copy) copyFolder(work, change.copy);
  if (change.set) setValue(work, change.set);
  if (change.helmChart) setHelmChart(work, change.helmChart);
  if (change.imagePolicy) setImagePolicy(work, change.imagePolicy);
  if (change.kustomizeImage) return setKustomizeImage(work, change.kustomizeImage, digestOf);
  return change.ociRepository ? setOciRepository(work, change.ociRepository, digestOf) : undefined;
}

function setValue(work: Workspace, { file, resource, path, value, from }: NonNullable<PromotionChange['set']>): void {
  const before = work.open(file);
  const spot = { resource, path: parseValuePath(path) ?? [] };
  const origin: { file: string; resource?: string; path?: string } | undefined = originOf(from);
  const wanted =
    origin === undefined
      ? newValue(value ?? null)
      : readScalar(work.openSource(origin.file), {
          resource: origin.resource ?? resource,
          path: parseValuePath(origin.path ?? path) ?? [],
        });
  const now = readText(before, spot) ?? 'none';
  const then = 'text' in wanted ? wanted.text : wanted.raw;
  work.write(before, putValue(before, spot, wanted), `${path}: ${clip(now)} -> ${clip(then)}`);
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
