import { isMap, isScalar, isSeq, type Scalar } from 'yaml';
import { isJsonObject } from '../../base/json.ts';
import type { ChangeOf } from '../../definitions/delivery-changes.ts';
import type { PathStep } from '../../definitions/value-path.ts';
import { putValue } from './change-file.ts';
import { originOf } from './changes.ts';
import { keyOf, type Spot, textOf } from './locate.ts';
import { type OpenFile, refuse, resourceName } from './open-file.ts';
import type { Workspace } from './workspace.ts';

type Part = 'image' | 'name' | 'tag' | 'digest';

/** A value with a comment such as `# {"$imagepolicy": "flux-system:shop:tag"}`, as Flux writes to it. */
interface Marked {
  spot: Spot;
  part: Part;
  value: string;
}

interface Image {
  name?: string;
  tag?: string;
  digest?: string;
}

const MAX_MARKED = 200;
/** Characters of a marker; names of policies are far shorter. */
const MAX_MARKER = 1_000;

/** Writes an image wherever the target's file has a marker of the policy, and in the form that the marker names. */
export function setImagePolicy(work: Workspace, { file, policy, from, image }: ChangeOf<'imagePolicy'>): void {
  const before = work.open(file);
  const marked = markedIn(before, policy);
  const wanted = image === undefined ? verifiedImage(work, from, policy) : parseImage(image);
  const after = marked.reduce((now, { spot, part }) => {
    const text = partOf(wanted, part);
    if (text === undefined)
      return refuse(before, `has a marker for the ${part} of ${policy}, which the verified commit does not say`);
    return putValue(now, spot, { text });
  }, before);
  const said = partOf(wanted, 'image') ?? wanted.tag ?? wanted.digest ?? wanted.name ?? '';
  work.write(
    before,
    after,
    `${policy}: ${[...new Set(marked.map(({ value }) => value))].slice(0, 3).join(', ')} -> ${said}`,
  );
}

function verifiedImage(work: Workspace, from: ChangeOf<'imagePolicy'>['from'], policy: string): Image {
  const origin = originOf(from);
  const file = work.openSource(origin?.file ?? '');
  const named = origin !== undefined && 'policy' in origin ? (origin.policy ?? policy) : policy;
  const image: Image = {};
  for (const { part, value } of markedIn(file, named)) {
    const said: Image = part === 'image' ? parseImage(value) : { [part]: value };
    for (const key of ['name', 'tag', 'digest'] as const) {
      if (image[key] !== undefined && said[key] !== undefined && image[key] !== said[key])
        return refuse(file, `has two values for ${named}: ${image[key]} and ${said[key]}`);
    }
    Object.assign(image, said);
  }
  return image;
}

function markedIn(file: OpenFile, policy: string): Marked[] {
  const found = file.documents.flatMap((document) => {
    const resource = resourceName(document);
    const ambiguous = file.documents.filter((other) => resourceName(other) === resource).length > 1;
    return markersBelow(document.contents, []).flatMap(({ path, node, marker }) => {
      const part = partNamed(marker, policy);
      if (part === undefined) return [];
      if (ambiguous) return refuse(file, 'has a marker in one of several documents without a name of their own');
      return [{ spot: { resource, path }, part, value: textOf(node) ?? '' }];
    });
  });
  if (found.length === 0) return refuse(file, `has no marker {"$imagepolicy": "${policy}"}`);
  if (found.length > MAX_MARKED) return refuse(file, `has more than ${MAX_MARKED} markers of ${policy}`);
  return found;
}

function markersBelow(node: unknown, path: PathStep[]): { path: PathStep[]; node: Scalar; marker: string }[] {
  if (isMap(node)) return node.items.flatMap((pair) => markersBelow(pair.value, [...path, keyOf(pair)]));
  if (isSeq(node)) return node.items.flatMap((item, at) => markersBelow(item, [...path, at]));
  if (!isScalar(node) || typeof node.comment !== 'string') return [];
  const marker = markerIn(node.comment);
  return marker === undefined ? [] : [{ path, node, marker }];
}

function markerIn(comment: string): string | undefined {
  const json = comment.slice(comment.indexOf('{'), comment.lastIndexOf('}') + 1);
  if (json.length > MAX_MARKER || !json.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    const marker = isJsonObject(value) ? value['$imagepolicy'] : undefined;
    return typeof marker === 'string' ? marker : undefined;
  } catch {
    return undefined;
  }
}

function partNamed(marker: string, policy: string): Part | undefined {
  if (marker === policy) return 'image';
  if (!marker.startsWith(`${policy}:`)) return undefined;
  const part = marker.slice(policy.length + 1);
  return part === 'name' || part === 'tag' || part === 'digest' ? part : undefined;
}

function partOf(image: Image, part: Part): string | undefined {
  if (part !== 'image') return image[part];
  const { name, tag, digest } = image;
  if (name === undefined || (tag === undefined && digest === undefined)) return undefined;
  return `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** `registry:5000/name:tag@digest`: a colon before the last slash belongs to a port. */
export function parseImage(text: string): Image {
  const [reference = '', digest] = text.split('@');
  const colon = reference.indexOf(':', reference.lastIndexOf('/') + 1);
  const name = colon < 0 ? reference : reference.slice(0, colon);
  return {
    name,
    ...(colon < 0 ? {} : { tag: reference.slice(colon + 1) }),
    ...(digest === undefined ? {} : { digest }),
  };
}
