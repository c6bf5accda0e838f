import { isJsonObject } from '../../base/json.ts';
import { promotionsOf } from '../../engine/promotion.ts';
import { short } from '../../engine/revisions.ts';
import { finishedTask, type SequenceState } from '../../engine/sequence.ts';
import type { ChangeKind, Person, Ref } from '../change-row.ts';
import type { ChangeFacts, ChangeInput } from '../fact-types.ts';
import { oneLine } from '../words.ts';
import { commitUrl } from './commit-url.ts';
import { imagesBefore, imagesOf, serviceImages, versionIn } from './images.ts';

type Identity = Pick<
  ChangeFacts,
  | 'project'
  | 'service'
  | 'team'
  | 'owners'
  | 'title'
  | 'version'
  | 'kind'
  | 'author'
  | 'commit'
  | 'pr'
  | 'createdAt'
  | 'images'
>;

/** Longer titles help nobody in a row. */
const MAX_TITLE = 120;
const NOBODY: Person = { name: 'unknown' };

/** What a change is: by what was reported of it, else by the commit that its first sequence delivers. */
export function identityOf({ sequences, reported, place }: ChangeInput): Identity {
  const first = sequences.find(({ triggered }) => triggered !== undefined);
  const at = first?.triggered?.place ?? place;
  const made = madeIn(sequences);
  const title = oneLine(reported?.title ?? made.subject ?? '');
  const team = lastOf(sequences, ({ triggered }) => triggered?.team) ?? reported?.team;
  const owners = lastOf(sequences, ({ triggered }) => triggered?.owners);
  const version = reported?.version ?? versionOfChange(sequences);
  const pr = reported?.pr ?? pullRequestOf(sequences);
  const images = ownImages(sequences);
  return {
    project: at?.project ?? '',
    service: at?.service ?? '',
    ...(team === undefined ? {} : { team }),
    ...(owners === undefined || owners.length === 0 ? {} : { owners }),
    title: (title === '' ? untitled(first) : title).slice(0, MAX_TITLE),
    ...(version === undefined ? {} : { version }),
    kind: reported?.kind ?? kindOf(sequences),
    author: reported?.author ?? made.author ?? NOBODY,
    commit: reported?.commit ?? commitOf(first),
    ...(pr === undefined ? {} : { pr }),
    createdAt: reported?.createdAt ?? first?.triggered?.at ?? '',
    ...(images.length === 0 ? {} : { images }),
  };
}

/** Who made the commit and what they said, by the first sequence that could read it. */
export function madeIn(sequences: readonly SequenceState[]): { author?: Person; subject?: string } {
  for (const state of sequences) {
    const commit = finishedTask(state, 'plan')?.data?.['commit'];
    if (!isJsonObject(commit)) continue;
    const { author, login, subject } = commit;
    return {
      ...(typeof subject === 'string' && subject !== '' ? { subject } : {}),
      ...(typeof author === 'string' && author !== ''
        ? { author: { name: oneLine(author), ...(typeof login === 'string' ? { login: oneLine(login) } : {}) } }
        : {}),
    };
  }
  return {};
}

/** What stands for the mail address of the author, where the commit tells who that is; never the address itself. */
export function authorsMail(sequences: readonly SequenceState[], author: Person): string | undefined {
  for (const state of sequences) {
    const commit = finishedTask(state, 'plan')?.data?.['commit'];
    if (!isJsonObject(commit)) continue;
    const { mail } = commit;
    return typeof mail === 'string' && madeIn([state]).author?.name === author.name ? mail : undefined;
  }
  return undefined;
}

function versionOfChange(sequences: readonly SequenceState[]): string | undefined {
  return lastOf(sequences, (state) => versionIn(imagesOf(state), state.triggered?.place.service ?? ''));
}

/** The service's own images with their digests, as the last stage that it reached runs them. */
function ownImages(sequences: readonly SequenceState[]): string[] {
  return (
    lastOf(sequences, (state) => {
      const own = serviceImages(imagesOf(state), state.triggered?.place.service ?? '');
      return own.length === 0 ? undefined : own;
    })?.slice(0, 3) ?? []
  );
}

/** The same images with another commit: only configuration changed. */
function kindOf(sequences: readonly SequenceState[]): ChangeKind {
  if (sequences.some(({ triggered }) => triggered?.rollsBack !== undefined)) return 'rollback';
  const isSameImages = sequences.some((state) => {
    const [before, now] = [imagesBefore(state), imagesOf(state)].map((images) => [...images].sort().join());
    return before !== '' && before === now;
  });
  return isSameImages ? 'config' : 'code';
}

function untitled(first: SequenceState | undefined): string {
  const { triggered } = first ?? {};
  if (!triggered) return 'Not deployed yet';
  if (triggered.rollsBack) return `Back to ${short(triggered.rollsBack.to)}`;
  const { kind } = triggered.source;
  return `${kind === 'helm' || kind === 'oci' ? 'Chart' : 'Commit'} ${short(triggered.revision)}`;
}

/** What people wrote: the dry commit of a hydrated application. */
function commitOf(first: SequenceState | undefined): Ref {
  const { triggered } = first ?? {};
  if (!triggered) return { text: '' };
  const id = triggered.drySha || triggered.source.revision || triggered.revision;
  const url = triggered.source.kind === undefined ? commitUrl(triggered.source.repoUrl, id) : undefined;
  return { text: short(id), id, ...(url === undefined ? {} : { url }) };
}

/** The newest pull request of its promotions. */
function pullRequestOf(sequences: readonly SequenceState[]): Ref | undefined {
  return lastOf(sequences, (state) => {
    const all = promotionsOf(state).map(
      ({ memo, outcome }) => ({ ...memo, ...outcome?.data }) as Record<string, unknown>,
    );
    const found = all.find(({ pullRequest }) => typeof pullRequest === 'number' && pullRequest > 0);
    if (!found) return undefined;
    const { pullRequest, url } = found;
    return { text: `PR ${pullRequest}`, ...(typeof url === 'string' && /^https?:/.test(url) ? { url } : {}) };
  });
}

function lastOf<T>(sequences: readonly SequenceState[], read: (state: SequenceState) => T | undefined): T | undefined {
  for (const state of sequences.toReversed()) {
    const found = read(state);
    if (found !== undefined) return found;
  }
  return undefined;
}
