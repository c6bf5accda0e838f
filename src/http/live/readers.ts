import type { Live } from '../../runtime/live.ts';
import type { EventStream } from './stream.ts';

/** Who reads. */
export interface ReaderFrom {
  /** The session or token; of nobody who is known the network. */
  id: string;
  isKnown: boolean;
}

/** One open connection. */
export interface Reader {
  stream: EventStream;
  from: ReaderFrom;
  /** Whether they may still read. */
  mayStillRead(): Promise<boolean>;
}

export interface ReadersOptions {
  live: Pick<Live, 'state'>;
  /** When it is aborted, everybody is sent home. */
  stopping: AbortSignal;
  heartbeatMs?: number;
  maxReaders?: number;
}

/** All open connections of this process, with what is said to all of them. */
export interface Readers {
  /** Why there is no place for one more; `undefined`: there is. */
  isFull(from: ReaderFrom): string | undefined;
  add(reader: Reader): void;
  remove(reader: Reader): void;
  count(): number;
}

const HEARTBEAT_MS = 15_000;
/** Each costs about 25 kB. */
const MAX_READERS = 1_000;
/** A browser needs one; several browsers of one person, and scripts of theirs, some more. */
const MAX_READERS_OF_SESSION = 20;
/** Many may share an address; a proxy that is not known as one has that of everybody. */
const MAX_READERS_OF_NETWORK = 100;

export function createReaders(options: ReadersOptions): Readers {
  const { live, stopping, heartbeatMs = HEARTBEAT_MS, maxReaders = MAX_READERS } = options;
  const readers = new Set<Reader>();
  let checking = false;

  /** Also how a reader finds out that it has been left alone: silence is an event that does not come. */
  async function beat(): Promise<void> {
    const event = { name: 'beat' as const, data: live.state() };
    for (const { stream } of readers) stream.send(event);
    // Nobody waits for a beat because the store is slow to say who may still read.
    if (checking) return;
    checking = true;
    for (const { mayStillRead, stream } of [...readers]) {
      if (!(await mayStillRead().catch(() => true))) stream.end({ name: 'end', data: { reason: 'signed-out' } });
    }
    checking = false;
  }

  const timer = setInterval(beat, heartbeatMs);
  timer.unref();
  stopping.addEventListener('abort', () => {
    clearInterval(timer);
    for (const { stream } of readers) stream.end();
  });

  return {
    isFull({ id, isKnown }) {
      if (stopping.aborted) return 'Lynceus is stopping';
      if (readers.size >= maxReaders) return `${maxReaders} pages are kept up to date already`;
      const alike = [...readers].filter(({ from }) => from.isKnown === isKnown);
      // The rest is for those who have signed in.
      const room = Math.ceil(maxReaders / 2);
      if (!isKnown && alike.length >= room)
        return `${room} pages of readers who have not signed in are kept up to date`;
      const most = isKnown ? MAX_READERS_OF_SESSION : MAX_READERS_OF_NETWORK;
      if (alike.filter(({ from }) => from.id === id).length < most) return undefined;
      return `${most} connections ${isKnown ? 'of yours' : 'from where you are'} are open already`;
    },
    add: (reader) => void readers.add(reader),
    remove: (reader) => void readers.delete(reader),
    count: () => readers.size,
  };
}
