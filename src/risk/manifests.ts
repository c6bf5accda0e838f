import type { RiskSignals } from './signals.ts';

/** One file before and after; absent: it is not there. */
export interface ManifestChange {
  path: string;
  before?: string;
  after?: string;
}

/** `image: registry/name:1.2.3`, `newTag: 1.2.3`, `tag: "v1"`, `digest: sha256:...`, alone on their line. */
const IMAGE_LINE = /^[\s-]*(?:image|newTag|newName|tag|digest|appVersion)\s*:\s*["']?([^\s"'#]+)["']?\s*(?:#.*)?$/;
const VERSION = /(?:^|[:@/_-])v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+][0-9A-Za-z.+-]*)?$/;
/** What Lynceus itself reads is no configuration of the service. */
const OURS = /(?:^|\/)(?:delivery|slo|sli)[\w.-]*\.ya?ml$/;
const JUMPS = ['none', 'patch', 'minor', 'major'] as const;

/** Whether a file can hold images and configuration of what is deployed. */
export function isManifest(path: string): boolean {
  return /\.ya?ml$/i.test(path) && !OURS.test(path);
}

/** What the changed manifests say: whether images and the rest change together, and how far versions jump. */
export function manifestSignals(changes: readonly ManifestChange[]): {
  image: boolean;
  configAndImage: boolean;
  versionJump: NonNullable<RiskSignals['versionJump']>;
} {
  const parts = changes.map(({ before = '', after = '' }) => ({ before: partsOf(before), after: partsOf(after) }));
  const image = parts.some(({ before, after }) => before.images.join('\n') !== after.images.join('\n'));
  const config = parts.some(({ before, after }) => before.rest !== after.rest);
  const jumps = parts.flatMap(({ before, after }) => after.images.map((to, at) => jumpOf(before.images[at], to)));
  return { image, configAndImage: image && config, versionJump: JUMPS[Math.max(0, ...jumps)] ?? 'none' };
}

function partsOf(text: string): { images: string[]; rest: string } {
  const [images, rest]: [string[], string[]] = [[], []];
  for (const line of text.split('\n')) {
    const image = line.length > 1000 ? undefined : IMAGE_LINE.exec(line)?.[1];
    if (image !== undefined) images.push(image);
    // Comments and blank lines deploy nothing.
    else if (!/^\s*(?:#|$)/.test(line)) rest.push(line.trimEnd());
  }
  return { images, rest: rest.join('\n') };
}

/** Index into `JUMPS`; a way back counts like the way there. */
function jumpOf(from: string | undefined, to: string): number {
  const [before, after] = [VERSION.exec(from ?? ''), VERSION.exec(to)];
  if (!before || !after) return 0;
  const part = [1, 2, 3].findIndex((at) => before[at] !== after[at]);
  return part < 0 ? 0 : 3 - part;
}
