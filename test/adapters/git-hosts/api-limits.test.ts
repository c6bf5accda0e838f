import { beforeEach, describe, expect, it } from 'vitest';
import { type ApiLimits, type ApiTime, createApiLimits } from '../../../src/adapters/git-hosts/api-limits.ts';
import { AdapterError } from '../../../src/base/adapter-error.ts';

describe('the limits of a host', () => {
  let clock: number;
  let wakers: { at: number; wake: () => void }[];
  let limits: ApiLimits;

  beforeEach(() => {
    clock = 0;
    wakers = [];
    const time: ApiTime = {
      now: () => clock,
      wall: () => clock,
      sleep: (ms) => new Promise((wake) => wakers.push({ at: clock + ms, wake })),
    };
    limits = createApiLimits('GitHub', 1_000, time);
  });

  /** Moves the clock and lets everybody act whose time has come. */
  async function pass(ms: number): Promise<void> {
    clock += ms;
    const due = wakers.filter(({ at }) => at <= clock);
    wakers = wakers.filter(({ at }) => at > clock);
    for (const { wake } of due) wake();
    await settle();
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: AdapterError) => ({ reason: error.reason, retryAfterMs: error.retryAfterMs }),
    );

  it('lets one change through a second, and what only reads at once', async () => {
    const sent: string[] = [];
    const all = ['a', 'b', 'c'].map((name) => limits.send(true, undefined, async () => sent.push(name)));
    await limits.send(false, undefined, async () => sent.push('read'));
    await settle();
    expect(sent.toSorted()).toEqual(['a', 'read']);
    await pass(999);
    expect(sent).not.toContain('b');
    await pass(1);
    expect(sent).toContain('b');
    await pass(1_000);
    await Promise.all(all);
    expect(sent).toHaveLength(4);
  });

  it('sends who would wait too long away, with a time', async () => {
    const sent = Array.from({ length: 32 }, () => failure(limits.turn(true, undefined)));
    expect(await sent.at(-1)).toEqual({ reason: 'rate-limited', retryAfterMs: 31_000 });
  });

  it('sends so many at once, and no more', async () => {
    const ends: (() => void)[] = [];
    const work = () => new Promise<void>((resolve) => ends.push(resolve));
    const all = Array.from({ length: 40 }, () => limits.send(false, undefined, work));
    await settle();
    expect(ends).toHaveLength(16);
    ends[0]?.();
    await settle();
    expect(ends).toHaveLength(17);
    while (ends.length > 0) {
      for (const end of ends.splice(0)) end();
      await settle();
    }
    await Promise.all(all);
  });

  it('sends nothing, for nobody, before the time that the host named', async () => {
    limits.note(new AdapterError('rate-limited', 'slow down', { retryAfterMs: 60_000 }));
    await pass(59_999);
    expect(await failure(limits.send(false, undefined, async () => 1))).toEqual({
      reason: 'rate-limited',
      retryAfterMs: 1,
    });
    await pass(1);
    expect(await limits.send(false, undefined, async () => 1)).toBe(1);
  });

  it('stops also who had waited for a turn already', async () => {
    await limits.send(true, undefined, async () => 1);
    const second = failure(limits.send(true, undefined, async () => 2));
    limits.stayAway(5_000);
    await pass(1_000);
    expect(await second).toEqual({ reason: 'rate-limited', retryAfterMs: 4_000 });
  });

  it('never forgets a longer wait for a shorter one', async () => {
    limits.stayAway(5_000);
    limits.stayAway(1_000);
    await pass(1_000);
    expect(await failure(limits.turn(false, undefined))).toEqual({ reason: 'rate-limited', retryAfterMs: 4_000 });
  });
});
