/** A sentence that says what a change waits for has room for so many characters. */
export const MAX_SENTENCE = 90;
/** Shorter than this, a name names nothing. */
const LEAST_NAME = 8;
const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

/** A part of a sentence that may be made shorter. */
export interface Bendable {
  text: string;
  /** Names lose their middle: begin and end tell them apart. Prose loses its end. */
  cut: 'middle' | 'end';
}

/** A name of others, which may be cut in its middle. */
export function name(text: string): Bendable {
  return { text: clean(text), cut: 'middle' };
}

/** Words of others, which may be cut at their end. */
export function prose(text: string): Bendable {
  return { text: clean(text), cut: 'end' };
}

/**
 * One sentence of at most 90 characters. What stands in the template itself, and numbers, are never cut: the longest
 * bendable part gives way first.
 */
export function sentence(strings: TemplateStringsArray, ...values: readonly (string | number | Bendable)[]): string {
  const parts = strings.flatMap((text, at): (string | Bendable)[] => {
    const value = values[at];
    return value === undefined ? [text] : [text, typeof value === 'object' ? value : clean(String(value))];
  });
  const lengths = parts.map((part) => (typeof part === 'object' ? part.text.length : 0));
  const fixed = parts.reduce((sum, part) => sum + (typeof part === 'string' ? part.length : 0), 0);
  let over = fixed + lengths.reduce((sum, length) => sum + length, 0) - MAX_SENTENCE;
  for (; over > 0; over--) {
    const longest = lengths.indexOf(Math.max(...lengths));
    if ((lengths[longest] ?? 0) <= LEAST_NAME) break;
    lengths[longest] = (lengths[longest] ?? 0) - 1;
  }
  const said = parts.map((part, at) => (typeof part === 'object' ? shorten(part, lengths[at] ?? 0) : part)).join('');
  return cutEnd(capital(said.replace(/ {2,}/g, ' ').trim()), MAX_SENTENCE) || 'No reason is given';
}

/** Text of others on one line, unable to steer a terminal or to turn the direction of what follows. */
export function oneLine(text: string): string {
  return clean(text).trim();
}

function clean(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ');
}

function shorten({ text, cut }: Bendable, length: number): string {
  if (text.length <= length) return text;
  if (cut === 'end') return cutEnd(text, length);
  const characters = [...text];
  const [front, back] = [Math.ceil((length - 1) / 2), Math.floor((length - 1) / 2)];
  const [head, tail] = [characters.slice(0, front).join(''), characters.slice(-back).join('')];
  return head.length + tail.length < length ? `${head}…${tail}` : cutEnd(text, length);
}

/** By UTF-16 units, without halving a character. */
export function cutEnd(text: string, length: number): string {
  if (text.length <= length) return text;
  const characters = [...text.slice(0, length - 1)].join('').replace(/[\ud800-\udbff]$/u, '');
  return `${characters.trimEnd()}…`;
}

/** Sentences of ours begin with a capital letter; those of the engine go on after a colon. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** How long something has lasted, as coarsely as people say it: `40 s`, `23 min`, `3 h`, `2 d`. */
export function sayFor(ms: number): string {
  const span = Math.max(0, ms);
  if (!Number.isFinite(span)) return 'some time';
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < 2 * HOUR) return `${Math.floor(span / MINUTE)} min`;
  if (span < 2 * DAY) return `${Math.floor(span / HOUR)} h`;
  return `${Math.floor(span / DAY)} d`;
}

/** Between two moments; broken times last no time. */
export function between(since: string, now: string): number {
  const span = Date.parse(now) - Date.parse(since);
  return span > 0 ? span : 0;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const WEEK = 6 * DAY;

/** `12:54 UTC`, with the day where it is another one: `Thu 09:00 UTC`, `2026-03-02 09:00 UTC`. */
export function sayMoment(iso: string, now: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return 'an unknown time';
  const text = at.toISOString();
  const time = `${text.slice(11, 16)} UTC`;
  if (text.slice(0, 10) === now.slice(0, 10)) return time;
  const isNear = Math.abs(at.getTime() - Date.parse(now)) < WEEK;
  return `${isNear ? DAYS[at.getUTCDay()] : text.slice(0, 10)} ${time}`;
}

/** A number as people read it: three digits matter. */
export function sayNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1_000) return Math.round(value).toLocaleString('en-GB');
  return String(Number(value.toPrecision(3)));
}

/** Of 0..1: `88 %`. */
export function sayPercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
