import { namesChange, type Report } from './report.ts';

/** Why a report can be joined to nothing, and what would be right. */
export interface Advice {
  what: string;
  remedy: string;
}

/** `undefined`: it names something that a change is known by. */
export function adviceOf(report: Report): Advice | undefined {
  if (namesChange(report)) return undefined;
  const { tag, commit } = report.loose ?? {};
  if (tag !== undefined) return { what: `name image tag ${tag} without digest`, remedy: 'add --digest sha256:…' };
  if (commit !== undefined)
    return { what: `name commit ${commit} cut short`, remedy: 'send all 40 digits of the commit' };
  const wanted: Partial<Record<Report['kind'], string>> = {
    image: 'add --digest sha256:…',
    manifest: 'add --manifest-commit',
    'pull-request': 'add --pull-request URL',
    deploy: 'add --digest sha256:…',
  };
  return {
    what: `of kind ${report.kind} name no commit, digest or pull request`,
    remedy: wanted[report.kind] ?? 'add --commit',
  };
}
