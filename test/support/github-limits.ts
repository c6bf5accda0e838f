import type { FakeGitHub, FakeRequest, Fault } from './github.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
const PUBLISHED = { perHour: 5_000, points: 900, contentPerMinute: 80, contentPerHour: 500, atOnce: 100 };

interface Counted {
  at: number;
  points: number;
  content: boolean;
  request: FakeRequest | undefined;
}

export interface EnforcedLimits {
  /** Requests that were refused, by the limit that they met. */
  refused: Record<string, number>;
  /** Requests that came before the time that a refusal had named; must stay empty. */
  early: string[];
  /** How many requests counted, unchanged answers did not. */
  counted(): number;
}

/**
 * Has a fake GitHub refuse what the real one would, by a clock that the test moves. `before` is asked where no limit is
 * met; `others` have used the same account in the hour before: so many requests, and so many of them wrote.
 */
export function enforceLimits(
  fake: FakeGitHub,
  time: { now(): number; wall(): number },
  before: (line: string) => Fault | undefined = () => undefined,
  others: { requests: number; content: number } = { requests: 0, content: 0 },
): EnforcedLimits {
  let taken: Counted[] = Array.from({ length: others.content }, (_, place) => ({
    at: time.now() - HOUR_MS * (1 - place / others.content),
    points: 5,
    content: true,
    request: undefined,
  }));
  let total = -others.requests;
  let hourEndsAt = time.now() + HOUR_MS;
  let usedThisHour: Counted[] = Array.from({ length: others.requests }, () => ({
    at: time.now(),
    points: 1,
    content: false,
    request: undefined,
  }));
  const told: { at: number; until: number }[] = [];
  const limits: EnforcedLimits = { refused: {}, early: [], counted: () => total + countsIn(usedThisHour) };

  function startHour(): void {
    if (time.now() < hourEndsAt) return;
    total += countsIn(usedThisHour);
    usedThisHour = [];
    while (hourEndsAt <= time.now()) hourEndsAt += HOUR_MS;
  }

  /** The moment at which less than `most` of these lie within the span. */
  function roomAt(items: readonly Counted[], most: number, spanMs: number, weight: (one: Counted) => number): number {
    const recent = items.filter(({ at }) => at > time.now() - spanMs);
    let sum = recent.reduce((all, one) => all + weight(one), 0);
    let room = time.now();
    for (const one of recent) {
      if (sum < most) break;
      sum -= weight(one);
      room = one.at + spanMs;
    }
    return room;
  }

  function refuse(limit: string, until: number): Fault {
    const seconds = Math.max(1, Math.ceil((until - time.now()) / 1000));
    limits.refused[limit] = (limits.refused[limit] ?? 0) + 1;
    told.push({ at: time.now(), until: time.now() + seconds * 1000 });
    const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
    return { status: 403, body: { message }, headers: { 'retry-after': String(seconds) } };
  }

  function secondary(one: Counted): Fault | undefined {
    const content = taken.filter((other) => other.content);
    const rooms: [string, number][] = [
      ['points', roomAt(taken, PUBLISHED.points, MINUTE_MS, ({ points }) => points)],
      ['content a minute', one.content ? roomAt(content, PUBLISHED.contentPerMinute, MINUTE_MS, () => 1) : 0],
      ['content an hour', one.content ? roomAt(content, PUBLISHED.contentPerHour, HOUR_MS, () => 1) : 0],
    ];
    const [limit, until] = rooms.toSorted((a, b) => b[1] - a[1])[0] ?? ['', 0];
    return until > time.now() ? refuse(limit, until) : undefined;
  }

  fake.fault = (line) => {
    startHour();
    const nowMs = time.now();
    // What was under way when the refusal was written could not know of it.
    if (told.some(({ at, until }) => nowMs > at && nowMs < until)) limits.early.push(`${line} at ${nowMs}`);
    if (fake.underWay > PUBLISHED.atOnce) return refuse('at once', nowMs + MINUTE_MS);
    const method = line.split(' ')[0] ?? '';
    const content = method !== 'GET' && method !== 'DELETE';
    const one: Counted = { at: nowMs, points: method === 'GET' ? 1 : 5, content, request: fake.requests.at(-1) };
    taken = taken.filter(({ at }) => at > nowMs - HOUR_MS);
    if (countsIn(usedThisHour) >= PUBLISHED.perHour) {
      limits.refused['an hour'] = (limits.refused['an hour'] ?? 0) + 1;
      told.push({ at: nowMs, until: hourEndsAt });
      return { status: 403, body: { message: 'API rate limit exceeded for user ID 1.' }, headers: fake.headers() };
    }
    const refusal = secondary(one);
    if (refusal !== undefined) return refusal;
    taken.push(one);
    usedThisHour.push(one);
    return before(line);
  };
  fake.headers = () => ({
    'x-ratelimit-limit': String(PUBLISHED.perHour),
    'x-ratelimit-remaining': String(Math.max(0, PUBLISHED.perHour - countsIn(usedThisHour))),
    // Whole seconds: never earlier than the hour ends.
    'x-ratelimit-reset': String(Math.ceil((time.wall() + hourEndsAt - time.now()) / 1000)),
    'x-ratelimit-resource': 'core',
  });
  return limits;
}

/** An unchanged answer is not counted; whether it is one is known once it is sent. */
function countsIn(all: readonly Counted[]): number {
  return all.reduce((sum, { request }) => sum + (request?.unchanged ? 0 : 1), 0);
}
