import type { CallOptions } from './git-host.ts';

/** Comments of our own account on a host's pull requests: what there is, and how one is written or changed. */
interface OwnComments<Place, Found> {
  list(at: Place, number: number, options?: CallOptions): Promise<Found[]>;
  textOf(comment: Found): string | undefined;
  write(at: Place, number: number, text: string, options?: CallOptions): Promise<void>;
  rewrite(at: Place, number: number, comment: Found, text: string, options?: CallOptions): Promise<void>;
  /** A text as the host keeps it; absent: as it is. */
  kept?(text: string): string;
}

/** What is said twice is there once, and the same text is no change: by reading what is there first. */
export function createOwnComments<Place, Found>(own: OwnComments<Place, Found>) {
  const kept = (text: string): string => own.kept?.(text) ?? text;

  /** Says it once, also when what follows was cut off after saying it. */
  async function say(at: Place, number: number, words: string, options?: CallOptions): Promise<void> {
    const text = kept(words);
    const there = await own.list(at, number, options);
    if (!there.some((comment) => own.textOf(comment) === text)) await own.write(at, number, text, options);
  }

  async function putComment(
    at: Place,
    number: number,
    { marker, body }: { marker: string; body: string },
    options?: CallOptions,
  ): Promise<void> {
    const [text, begin] = [kept(body), kept(marker)];
    const there = await own.list(at, number, options);
    const before = there.find((comment) => own.textOf(comment)?.startsWith(begin));
    if (before === undefined) return own.write(at, number, text, options);
    if (own.textOf(before) !== text) await own.rewrite(at, number, before, text, options);
  }

  return { say, putComment };
}
