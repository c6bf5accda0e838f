import { short } from '../../engine/revisions.ts';
import { finishedTask, type SequenceState } from '../../engine/sequence.ts';

/** What an image reference says: `registry/team/checkout:1.8.2@sha256:…`. */
export interface ImageName {
  /** Without tag and digest. */
  repository: string;
  tag?: string;
  digest?: string;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Takes an image reference apart; what is no digest is none. */
export function imageName(reference: string): ImageName {
  const [rest = '', digest] = reference.split('@', 2);
  const colon = rest.lastIndexOf(':');
  const hasTag = colon > rest.lastIndexOf('/');
  return {
    repository: hasTag ? rest.slice(0, colon) : rest,
    ...(hasTag ? { tag: rest.slice(colon + 1) } : {}),
    ...(digest !== undefined && DIGEST.test(digest) ? { digest } : {}),
  };
}

/** Of an application's images those that are the service's own: named like it, else the only one. */
export function serviceImages(images: readonly string[], service: string): string[] {
  const last = (image: string) => imageName(image).repository.split('/').at(-1) ?? '';
  const exact = images.filter((image) => last(image) === service);
  if (exact.length > 0) return exact;
  const alike = images.filter((image) => last(image).includes(service) || service.includes(last(image)));
  if (alike.length > 0) return alike;
  return images.length === 1 ? [...images] : [];
}

/** The images that a sequence has seen running once its commit was deployed. */
export function imagesOf(state: SequenceState): string[] {
  return strings(finishedTask(state, 'rollout')?.data?.['images']);
}

/** What ran before the sequence changed anything, where that was seen. */
export function imagesBefore(state: SequenceState): string[] {
  return strings(state.triggered?.running);
}

/** The version that images tell: the tag of the service's own, where they agree. */
export function versionIn(images: readonly string[], service: string): string | undefined {
  const own = serviceImages(images, service);
  const tags = new Set(own.flatMap((image) => imageName(image).tag ?? []));
  return tags.size === 1 ? [...tags][0] : undefined;
}

/**
 * What a stage runs with a sequence: the version of its images, else a commit as people read it.
 *
 * @param commit of the change, where the stage has one of its own because it was merged there
 */
export function versionOf(state: SequenceState, commit?: string): string {
  const { triggered } = state;
  return versionSeen(state) ?? short((triggered?.promotedBy && commit) || (triggered?.revision ?? ''));
}

/** The version of the images that a sequence has seen running; absent: it has not come so far, or they tell none. */
export function versionSeen(state: SequenceState): string | undefined {
  return versionIn(imagesOf(state), state.triggered?.place.service ?? '');
}

/** What ran in the stage before. */
export function versionBefore(state: SequenceState): string | undefined {
  const { triggered } = state;
  const version = versionIn(imagesBefore(state), triggered?.place.service ?? '');
  if (version !== undefined) return version;
  return triggered?.previousRevision === undefined ? undefined : short(triggered.previousRevision);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
