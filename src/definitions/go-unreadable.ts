/** Something that Go's yaml.v3 refuses, with its place in the text. */
export class Unreadable extends Error {
  override name = 'Unreadable';
  readonly offset: number;

  /** `place` is an offset, or a node. */
  constructor(place: unknown, message: string) {
    super(message);
    const range = (place as { range?: readonly number[] | null } | null | undefined)?.range;
    this.offset = typeof place === 'number' ? place : (range?.[0] ?? 0);
  }
}
