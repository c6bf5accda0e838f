import { on } from './page.ts';

/** What the page hears, whoever listens for it. */
export interface Heard {
  name: string;
  /** Up to where everything has been told now. */
  at: string;
  data: { topic?: string; failures?: number };
}

type Message =
  | Heard
  | { kind: 'here'; who: string; topics: readonly string[]; since: string }
  | { kind: 'gone'; who: string }
  | { kind: 'who' };

export interface Ear {
  topics: readonly string[];
  since: string;
  hear(heard: Heard): void;
}

const NAMES = ['row', 'facets', 'changed', 'reset', 'beat', 'end'];
const MAX_TOPICS = 64;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** Long enough for the other tabs to say what they want. */
const GATHER_MS = 80;

/**
 * One connection per browser: the tab that has the lock listens for all and tells them. Browsers allow six connections
 * to one server; a seventh tab would otherwise never load.
 */
export function listen(ear: Ear): void {
  const me = crypto.randomUUID();
  let { since } = ear;
  /** Something was told that the position does not cover yet. */
  let isBehind = false;
  let channel: BroadcastChannel | undefined;
  let leaving: AbortController | undefined;
  let stream: EventSource | undefined;
  let timer = 0;
  let failures = 0;
  const tabs = new Map<string, { topics: readonly string[]; since: string }>();

  function take(heard: Heard): void {
    if (heard.at && heard.at !== since) {
      since = heard.at;
      isBehind = false;
    }
    isBehind ||= heard.name !== 'beat';
    if (!heard.data.topic || ear.topics.includes(heard.data.topic)) ear.hear(heard);
  }

  function tell(message: Message): void {
    channel?.postMessage(message);
  }

  function arrive(): void {
    if (channel) return;
    channel = new BroadcastChannel('lynceus');
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if ('name' in data) take(data);
      else if (data.kind === 'who') here();
      else if (leaving?.signal.aborted === false && stream !== undefined) meet(data);
      else if (data.kind === 'here') tabs.set(data.who, data);
    };
    here();
    leaving = new AbortController();
    const { signal } = leaving;
    const lead = () =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
        tabs.clear();
        tell({ kind: 'who' });
        connectIn(GATHER_MS);
      });
    // Refused only when it is given up.
    navigator.locks.request('lynceus', { signal }, lead).catch(() => {});
  }

  function here(): void {
    tell({ kind: 'here', who: me, topics: ear.topics, since });
  }

  /** A tab came or went while this one leads. */
  function meet(data: Exclude<Message, Heard | { kind: 'who' }>): void {
    if (data.kind === 'gone') return void tabs.delete(data.who);
    const wanted = topics();
    tabs.set(data.who, data);
    // What it missed before it was here must not be taken for told.
    if (!isBehind && data.since === since && data.topics.every((topic) => wanted.includes(topic))) return;
    stream?.close();
    connectIn(GATHER_MS);
  }

  function topics(): string[] {
    return [...new Set([...ear.topics, ...[...tabs.values()].flatMap((tab) => tab.topics)])].slice(0, MAX_TOPICS);
  }

  function connectIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(connect, ms);
  }

  function connect(): void {
    stream?.close();
    for (const tab of tabs.values()) since = older(tab.since, since);
    const query = new URLSearchParams(topics().map((topic) => ['topics', topic]));
    if (since) query.set('since', since);
    stream = new EventSource(`/events?${query}`);
    for (const name of NAMES) {
      stream.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        failures = 0;
        const heard = { name, at: lastEventId, data: JSON.parse(data) };
        for (const tab of tabs.values()) tab.since = lastEventId || tab.since;
        tell(heard);
        take(heard);
        if (name === 'end') stream?.close();
      });
    }
    stream.onerror = () => {
      stream?.close();
      tabs.clear();
      tell({ kind: 'who' });
      failures++;
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
      // Not all browsers at once, when the server is back.
      connectIn(pause * (0.5 + Math.random() / 2));
      const lost = { name: 'lost', at: '', data: { failures } };
      tell(lost);
      take(lost);
    };
  }

  function leave(): void {
    clearTimeout(timer);
    stream?.close();
    stream = undefined;
    tell({ kind: 'gone', who: me });
    leaving?.abort();
    channel?.close();
    channel = undefined;
  }

  // Whoever is not looked at hands over; what was missed is asked for when they are looked at again.
  const turn = () => (document.visibilityState === 'visible' ? arrive() : leave());
  on('visibilitychange', turn);
  addEventListener('pagehide', leave);
  addEventListener('pageshow', turn);
  turn();
}

/** The position from which both miss nothing: times first, then the place on the same replica. */
function older(one: string, other: string): string {
  if (!one || !other) return one || other;
  const [a, b] = [one.split('.'), other.split('.')];
  const by = Number(a[0]) - Number(b[0]) || (a[1] === b[1] ? Number(a[2]) - Number(b[2]) : 0);
  return by < 0 ? one : other;
}
