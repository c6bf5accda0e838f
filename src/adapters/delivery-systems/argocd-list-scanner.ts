/** Finds the objects of a list in a JSON text that arrives in pieces. */
export interface ItemScanner {
  /** The objects that end in this piece, each as its own text. */
  items(chunk: Buffer): Generator<Buffer>;
  /** How much of an object has come whose end has not. */
  pendingBytes(): number;
  /** Whether the whole text was an object with that list in it; `null` is a list without anything. */
  isComplete(): boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;
const COMMA = 0x2c;
const N_OF_NULL = 0x6e;
/** Of the objects in the list of the outermost object. */
const ITEM_DEPTH = 2;

/**
 * Looks only for where the items begin and end: whether they are JSON is for `JSON.parse` to say, and everything
 * beside the list is ignored.
 *
 * @param name of the list in the outermost object
 */
export function scanItems(name: string): ItemScanner {
  const texts = createTextSkipper();
  let [depth, root, key] = [0, 0, ''];
  let [isListed, isInList, isInItem, isBroken] = [false, false, false, false];
  let pieces: Buffer[] = [];
  let pending = 0;

  function open(byte: number): boolean {
    const begins = isInList && depth === ITEM_DEPTH;
    if (begins && byte === OPEN_LIST) isBroken = true;
    depth++;
    if (depth === ITEM_DEPTH && byte === OPEN_LIST && key === name) [isListed, isInList] = [true, true];
    return begins;
  }

  function close(): boolean {
    depth--;
    if (isInList && depth < ITEM_DEPTH) isInList = false;
    return isInItem && depth === ITEM_DEPTH;
  }

  /** What stands between things; anything else than objects in the list is a mistake. */
  function between(byte: number): void {
    if (depth === 1 && byte === N_OF_NULL && key === name) isListed = true;
    if (isInList && depth === ITEM_DEPTH && byte > SPACE && byte !== COMMA) isBroken = true;
  }

  function finished(piece: Buffer): Buffer {
    const item = pieces.length === 0 ? piece : Buffer.concat([...pieces, piece]);
    [pieces, pending, isInItem] = [[], 0, false];
    return item;
  }

  return {
    *items(chunk) {
      let begin = 0;
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at] ?? 0;
        if (root === 0 && byte > SPACE) root = byte;
        if (texts.isOpen()) {
          const end = texts.skip(chunk, at);
          if (depth === 1) key += chunk.toString('utf8', at, end);
          at = end;
        } else if (byte === QUOTE) {
          texts.open();
          if (depth === 1) key = '';
          between(byte);
        } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
          if (open(byte)) [begin, isInItem] = [at, true];
        } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
          if (close()) yield finished(chunk.subarray(begin, at + 1));
        } else between(byte);
      }
      if (!isInItem) return;
      pieces.push(chunk.subarray(begin));
      pending += chunk.length - begin;
    },
    pendingBytes: () => pending,
    isComplete: () => root === OPEN_OBJECT && depth === 0 && isListed && !isBroken && !texts.isOpen(),
  };
}

/** Most of JSON is texts: they are jumped over. */
function createTextSkipper() {
  let [isOpen, isEscaped] = [false, false];

  /** Whether what stands at `end` is escaped by the backslashes before it. */
  function escapes(chunk: Buffer, from: number, end: number): boolean {
    let first = end;
    while (first > from && chunk[first - 1] === BACKSLASH) first--;
    const carried = first === from && isEscaped ? 1 : 0;
    return (end - first + carried) % 2 === 1;
  }

  return {
    isOpen: () => isOpen,
    open() {
      [isOpen, isEscaped] = [true, false];
    },
    /** Where the text ends that is open; the length of the piece when it does not end in it. */
    skip(chunk: Buffer, start: number): number {
      for (let from = start; ; ) {
        const quote = chunk.indexOf(QUOTE, from);
        const end = quote < 0 ? chunk.length : quote;
        const escaped = escapes(chunk, from, end);
        if (quote < 0) {
          isEscaped = escaped;
          return end;
        }
        isEscaped = false;
        if (!escaped) {
          isOpen = false;
          return end;
        }
        from = quote + 1;
      }
    },
  };
}
