/** What is deployed, or is to be: the leading revision, and by source only where there are several. */
export interface Revisions {
  revision: string;
  revisions?: string[];
}

/** What Git asks for, to be compared with what is deployed or synced. */
export function revisionsOf(asked: { targetRevision: string; targetRevisions?: string[] | undefined }): Revisions {
  const { targetRevision, targetRevisions } = asked;
  return { revision: targetRevision, ...(targetRevisions === undefined ? {} : { revisions: targetRevisions }) };
}

/** Whether it is the same in every source. Who has other sources is compared by the leading one. */
export function isSame(found: Partial<Revisions> | undefined, wanted: Revisions): boolean {
  return isCommit(found?.revision, wanted.revision) && differingSource(found, wanted) === undefined;
}

/** Who syncs by a short hash is shown it as it was typed. Shorter than Git itself abbreviates, it says nothing. */
function isCommit(found: string | undefined, wanted: string | undefined): boolean {
  if (found === wanted) return true;
  if (found === undefined || wanted === undefined) return false;
  // A chart that Flux rolled back to has lost its digest: what is left of it stands behind the version.
  const digest = /\+([0-9a-f]{12})$/.exec(found)?.[1];
  if (digest !== undefined && wanted.startsWith(`sha256:${digest}`)) return true;
  return /^[0-9a-f]{7,39}$/.test(found) && /^[0-9a-f]{40,64}$/.test(wanted) && wanted.startsWith(found);
}

/** `11111111 is deployed instead of 22222222`, with the number of the source where there are several. */
export function sayInstead(found: Partial<Revisions> | undefined, verb: string, wanted: Revisions): string {
  const at = differingSource(found, wanted);
  if (at === undefined) return `${short(found?.revision ?? 'nothing')} ${verb} instead of ${short(wanted.revision)}`;
  const [is, was] = [found?.revisions?.[at] || 'nothing', wanted.revisions?.[at] ?? ''];
  return `of source ${at + 1}, ${short(is)} ${verb} instead of ${short(was)}`;
}

/** Only what several sources have in common can differ by source. */
function differingSource(found: Partial<Revisions> | undefined, wanted: Revisions): number | undefined {
  if (found?.revisions === undefined || found.revisions.length !== wanted.revisions?.length) return undefined;
  const at = wanted.revisions.findIndex((revision, source) => !isCommit(found.revisions?.[source], revision));
  return at < 0 ? undefined : at;
}

/** A hash as people read it; a version or a name as it is. */
export function short(revision: string): string {
  const digest = /^sha256:([0-9a-f]{64})$/.exec(revision)?.[1];
  if (digest !== undefined) return `sha256:${digest.slice(0, 8)}`;
  return /^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, 8) : revision;
}
