/** What somebody wants to hear of. */
export type LiveTopic =
  /** The changes that a filter of the page leaves; `filter` is a query string. */
  | { kind: 'changes'; name: string; filter: string }
  | { kind: 'change'; name: string; id: string }
  | { kind: 'evaluations'; name: string; service: string; stage: string }
  | { kind: 'fleet' | 'connections'; name: string };

const MAX_TOPIC_CHARS = 2_000;

/** `undefined`: no topic of ours. */
export function parseTopic(name: string): LiveTopic | undefined {
  // No name holds a NUL character, and PostgreSQL takes none in a question.
  if (name.length > MAX_TOPIC_CHARS || /\0|%00/.test(name)) return undefined;
  if (name === 'fleet' || name === 'connections') return { kind: name, name };
  const at = name.indexOf(':');
  const [kind, rest] = [name.slice(0, at), name.slice(at + 1)];
  if (kind === 'changes') return { kind, name, filter: rest };
  if (kind === 'change' && rest !== '') return { kind, name, id: rest };
  const [, service, stage] = /^([^/]+)\/([^/]+)$/.exec(rest) ?? [];
  if (kind === 'evaluations' && service !== undefined && stage !== undefined) return { kind, name, service, stage };
  return undefined;
}

/** The query of `/events` for a page: its topic, and since when it wants to know. */
export function liveQuery(topic: string, since: string): string {
  return new URLSearchParams({ topics: topic, since }).toString();
}
