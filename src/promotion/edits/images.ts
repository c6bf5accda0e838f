import type { ChangeOf } from '../../definitions/delivery-changes.ts';
import { putValue, removeKey } from './change-file.ts';
import { locate, textOf } from './locate.ts';
import { EditRefusal, type OpenFile, refuse } from './open-file.ts';
import type { Workspace } from './workspace.ts';

/** A tag whose digest a registry has to say. */
export interface ImageQuestion {
  /** `ghcr.io/acme/shop`. */
  image: string;
  tag: string;
}

/** The digest of a tag; `undefined`: it is not known (yet). */
export type Digests = (question: ImageQuestion) => string | undefined;

type Fields = Record<string, string | undefined>;

/** Writes fields of one mapping; `undefined`: it is taken out. */
export function putFields(
  file: OpenFile,
  spot: { resource?: string | undefined; path: readonly (string | { field: string; is: string })[] },
  fields: Fields,
): OpenFile {
  // Written before anything is taken out: so a mapping never becomes empty.
  const entries = Object.entries(fields).sort(([, a], [, b]) => Number(a === undefined) - Number(b === undefined));
  return entries.reduce((now, [key, text]) => {
    const place = { resource: spot.resource, path: [...spot.path, key] };
    return text === undefined ? removeKey(now, place) : putValue(now, place, { text });
  }, file);
}

/** The fields of one mapping as texts. */
export function fieldsAt(
  file: OpenFile,
  spot: { resource?: string | undefined; path: readonly (string | { field: string; is: string })[] },
  names: readonly string[],
): Fields {
  return Object.fromEntries(
    names.map((name) => [
      name,
      textOf(locate(file, { resource: spot.resource, path: [...spot.path, name] }, 'read').node),
    ]),
  );
}

/** An entry of `images` in a kustomization. */
export function setKustomizeImage(
  work: Workspace,
  { file, image, from, newName, tag, digest }: ChangeOf<'kustomizeImage'>,
  digestOf: Digests,
): ImageQuestion | undefined {
  const spot = { path: ['images', { field: 'name', is: image }] };
  const before = work.open(file);
  const now = fieldsIn(before, spot, image);
  const wanted: Fields =
    from === undefined
      ? {
          newName: newName ?? now['newName'],
          newTag: tag ?? (digest === undefined ? now['newTag'] : undefined),
          digest,
        }
      : verified(fieldsIn(work.openSource(from), spot, image), now);
  if (from === undefined && tag === undefined && digest === undefined) wanted['digest'] = now['digest'];
  // A digest that was verified is no question: the tag may point elsewhere by now.
  if (digest === 'resolve' && (wanted['digest'] ?? 'resolve') === 'resolve') {
    const question = questionOf(wanted['newName'] ?? image, wanted['newTag']);
    if (question === undefined) return refuse(before, `has no tag of ${image} whose digest could be resolved`);
    wanted['digest'] = digestOf(question);
    if (wanted['digest'] === undefined) return question;
  }
  work.write(before, putFields(before, spot, wanted), `${image}: ${sayImage(now)} -> ${sayImage(wanted)}`);
  return undefined;
}

/** Another registry's name stays where the verified file names none. */
function verified(theirs: Fields, now: Fields): Fields {
  return { ...theirs, newName: theirs['newName'] ?? now['newName'] };
}

function fieldsIn(file: OpenFile, spot: Parameters<typeof fieldsAt>[1], image: string): Fields {
  try {
    return fieldsAt(file, spot, ['newName', 'newTag', 'digest']);
  } catch (error) {
    if (!(error instanceof EditRefusal) || !error.problem.message.startsWith('there is no images')) throw error;
    return refuse(file, `does not list ${image} in "images": add "- name: ${image}" there`);
  }
}

export function questionOf(image: string, tag: string | undefined): ImageQuestion | undefined {
  return tag === undefined ? undefined : { image, tag };
}

export function sayImage(fields: Fields): string {
  const tag = fields['newTag'] ?? fields['tag'];
  const { newName = '', digest } = fields;
  return (
    `${newName}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest.slice(0, 19)}`}` || 'none'
  );
}
