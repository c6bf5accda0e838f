import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChangeFacts } from '../../src/answers/change-facts.ts';
import type { Viewer } from '../../src/answers/viewer.ts';
import { goldenFacts } from '../support/change-rows.ts';
import { type LiveWorld, type LiveWorldOptions, readers, startLiveWorld, waiting } from '../support/live-world.ts';
import { withPostgres } from '../support/postgres.ts';

const worlds: LiveWorld[] = [];
async function start(options: LiveWorldOptions = {}): Promise<LiveWorld> {
  const world = await startLiveWorld(options);
  worlds.push(world);
  return world;
}
afterEach(async () => {
  readers.clear();
  for (const world of worlds.splice(0)) await world.stop();
});

const done = (facts: ChangeFacts): ChangeFacts => ({ ...goldenFacts.none, id: facts.id, service: facts.service });
const moved = (facts: ChangeFacts, rev: number): ChangeFacts => ({ ...facts, rev, title: `title ${rev}` });

function liveContract(start: (options?: LiveWorldOptions) => Promise<LiveWorld>): void {
  it('a committed change reaches who reads as the row that the page would show', async () => {
    const world = await start();
    const change = waiting({ service: 'checkout' });
    await world.write(change);
    const page = await (await fetch(`${world.url}/changes`)).text();
    const since = new URLSearchParams(/data-live="([^"]*)"/.exec(page)?.[1]?.replaceAll('&amp;', '&')).get('since');
    const reader = await world.read('changes:', { since: since ?? '' });
    expect(reader.status).toBe(200);
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    expect(reader.headers['content-encoding']).toBeUndefined();
    await world.write(moved(change, 2));
    const { data, id } = await reader.until(({ event }) => event === 'row');
    expect(data).toMatchObject({ topic: 'changes:', id: change.id, rev: 2 });
    expect(data.say).toBe('checkout 1.8.2 now waiting for approval in production');
    expect(data.html).toMatch(new RegExp(`^<tr id="row-${change.id}" data-rev="2"[^]*title 2[^]*</tr>$`));
    expect(id).not.toBe('');
    // What the page already had is not sent once more.
    expect(reader.rows().every(({ data: { rev } }) => rev === 2)).toBe(true);
    const { data: facets } = await reader.until(({ event }) => event === 'facets');
    expect(facets).toMatchObject({ ids: [change.id], total: 1, facets: { state: { waiting: 1 } }, updated: 0 });
  });

  it('who comes back is told what they missed, and to read again when that is too much', async () => {
    const world = await start({ lookEveryMs: 200 });
    const changes = [waiting(), waiting(), waiting()];
    await world.write(...changes);
    const reader = await world.read('changes:');
    await world.write(moved(changes[0]!, 2));
    await reader.until(({ event }) => event === 'row');
    // The position is told once everything before it was.
    await sleep(300);
    await world.write(moved(changes[1]!, 2));
    await reader.until(({ event, data }) => event === 'row' && data.id === changes[1]!.id);
    const lastId = reader.lastId();
    reader.close();
    await world.write(moved(changes[0]!, 3), done(changes[2]!));
    await world.write(moved(changes[0]!, 4));
    await sleep(100);
    const again = await world.read('changes:', { headers: { 'Last-Event-ID': lastId } });
    const last = await again.until(
      ({ event, data }) => event === 'row' && data.id === changes[0]!.id && data.rev === 4,
    );
    expect(last.data.html).toContain('title 4');
    await again.until(({ event, data }) => event === 'row' && data.id === changes[2]!.id);
    expect(again.events.filter(({ event }) => event === 'reset')).toEqual([]);
    await world.write(...Array.from({ length: 120 }, () => waiting()));
    await sleep(600);
    const late = await world.read('changes:', { since: lastId });
    await late.until(({ event }) => event === 'reset');
    for (const position of ['x', '99.abc.1', '0.00000000.0']) {
      const lost = await world.read('changes:', { headers: { 'Last-Event-ID': position } });
      await lost.until(({ event }) => event === 'reset');
      expect(lost.rows()).toEqual([]);
    }
  });

  it('many updates of one row are few events, and the last state always arrives', async () => {
    const world = await start();
    const change = waiting();
    await world.write(change);
    const reader = await world.read('changes:');
    for (let rev = 2; rev <= 101; rev++) {
      await world.write(moved(change, rev));
      await sleep(5);
    }
    const last = await reader.until(({ event, data }) => event === 'row' && data.rev === 101);
    expect(last.data.html).toContain('title 101');
    expect(reader.rows().length).toBeLessThan(8);
    const revs = reader.rows().map(({ data }) => data.rev);
    expect(revs).toEqual([...revs].sort((a, b) => a - b));
  });

  it('a row that leaves the filter is told of, one that never was in it is not', async () => {
    const world = await start();
    const [change, other] = [waiting({ team: 'payments' }), waiting({ team: 'search' })];
    await world.write(change, other);
    const reader = await world.read('changes:team=payments&state=waiting');
    await reader.until(({ event }) => event === 'beat');
    await sleep(50);
    await world.write(moved(other, 2), { ...done(change), rev: 2, team: 'payments' });
    const { data } = await reader.until(({ event }) => event === 'row');
    expect(data).toMatchObject({ id: change.id, rev: 2, gone: true });
    await reader.until(({ event, data }) => event === 'facets' && data.total === 0);
    expect(reader.rows().map(({ data: { id } }) => id)).toEqual([change.id]);
  });
}

describe('live updates, embedded store', () => liveContract(start));

withPostgres('live updates, PostgreSQL', (database) => {
  describe('one replica', () => {
    // Each test has its own changes; what others wrote is there, too.
    it('a committed change reaches who reads', async () => {
      const world = await start({ databaseUrl: database.url });
      const change = waiting();
      const reader = await world.read(`changes:service=${change.service}`);
      await world.write(change);
      const { data } = await reader.until(({ event }) => event === 'row');
      expect(data).toMatchObject({ id: change.id, rev: 1 });
    });
  });

  describe('two replicas', () => {
    it('what one writes reaches who reads at the other, within the time of coalescing', async () => {
      const [one, other] = [await start({ databaseUrl: database.url }), await start({ databaseUrl: database.url })];
      const change = waiting();
      const reader = await other.read(`changes:service=${change.service}`);
      // Long enough for a listening connection to be up.
      await sleep(200);
      for (let rev = 1; rev <= 3; rev++) {
        const began = performance.now();
        await one.write(moved(change, rev));
        const { at } = await reader.until(({ event, data }) => event === 'row' && data.rev === rev);
        expect(at - began).toBeLessThan(1_500);
      }
    });

    it('who goes on at the other replica misses nothing', async () => {
      const [one, other] = [await start({ databaseUrl: database.url }), await start({ databaseUrl: database.url })];
      const changes = [waiting(), waiting()];
      const topic = `changes:service=${changes[0]!.service}&service=${changes[1]!.service}`;
      await one.write(...changes);
      const reader = await one.read(topic);
      await one.write(moved(changes[0]!, 2));
      await reader.until(({ event, data }) => event === 'row' && data.rev === 2);
      await sleep(600);
      await one.write(moved(changes[0]!, 3));
      await reader.until(({ event, data }) => event === 'row' && data.rev === 3);
      reader.close();
      await one.write(moved(changes[1]!, 7));
      await one.write(moved(changes[0]!, 4));
      const again = await other.read(topic, { headers: { 'Last-Event-ID': reader.lastId() } });
      await again.until(({ event, data }) => event === 'row' && data.id === changes[1]!.id && data.rev === 7);
      await again.until(({ event, data }) => event === 'row' && data.id === changes[0]!.id && data.rev === 4);
      expect(again.events.filter(({ event }) => event === 'reset')).toEqual([]);
    });

    it('a notification that is lost delays, but loses nothing', async () => {
      const one = await start({ databaseUrl: database.url });
      const deaf = await start({
        databaseUrl: database.url,
        lookEveryMs: 300,
        source: (source) => ({ ...source, onChanged: () => () => {} }),
      });
      const change = waiting();
      const reader = await deaf.read(`changes:service=${change.service}`);
      await one.write(change);
      await reader.until(({ event, data }) => event === 'row' && data.id === change.id);
    });
  });
});

describe('a stream', () => {
  it('beats while nothing happens, and is not cut off by the time limits of requests', async () => {
    const world = await start({ heartbeatMs: 100 });
    const reader = await world.read('fleet');
    await sleep(350);
    expect(reader.comments.length).toBeGreaterThanOrEqual(3);
    const beat = reader.events.findLast(({ event }) => event === 'beat');
    expect(beat?.data).toEqual({ at: expect.stringMatching(/^\d{4}-.*Z$/), ok: true });
    expect(world.streams.open).toBe(1);
  });

  it('that began before the service knew where the log ends is told to read again', async () => {
    const world = await start({
      early: true,
      source: (source) => ({
        ...source,
        changesWritten: async (query) => {
          await sleep(100);
          return source.changesWritten(query);
        },
      }),
    });
    const reader = await world.read('changes:');
    await world.write(waiting());
    await reader.until(({ event }) => event === 'reset');
  });

  it('tells pages of a change, an evaluation, the fleet to read again when it concerns them', async () => {
    const world = await start();
    const change = waiting();
    const topics = [`change:${change.id}`, 'change:other', 'evaluations:checkout/staging', 'fleet'];
    const query = new URLSearchParams(topics.map((topic): [string, string] => ['topics', topic]));
    const { readEvents } = await import('../support/event-stream.ts');
    const reader = await readEvents(`${world.url}/events?${query}`);
    await world.write(change);
    for (const topic of topics.filter((one) => one !== 'change:other'))
      await reader.until(({ event, data }) => event === 'changed' && data.topic === topic, 10_000);
    expect(reader.events.filter(({ data }) => data.topic === 'change:other')).toEqual([]);
    reader.close();
  });

  it('of too many rows at once says how many wait, and brings all of them in the end', async () => {
    const world = await start();
    const changes = Array.from({ length: 45 }, () => waiting());
    await world.write(...changes);
    const reader = await world.read('changes:');
    await sleep(50);
    const began = performance.now();
    await world.write(...changes.map((change) => moved(change, 2)));
    const { data } = await reader.until(({ event, data }) => event === 'facets' && data.updated > 0);
    expect(data.updated).toBe(25);
    await reader.until(({ event }) => event === 'row' && new Set(reader.rows().map((row) => row.data.id)).size === 45);
    expect(performance.now() - began).toBeGreaterThan(1_000);
    await reader.until(({ event, data, at }) => event === 'facets' && data.updated === 0 && at > began);
  });

  it('of a rebuild of everything says to read again, once in a while', async () => {
    const world = await start();
    const change = waiting();
    await world.write(change);
    const reader = await world.read('changes:');
    await sleep(50);
    await world.write(...Array.from({ length: 5_200 }, () => waiting()));
    await reader.until(({ event }) => event === 'reset');
    expect(reader.rows().length).toBeLessThan(100);
    await world.write(moved(change, 2));
    const late = await world.read('changes:', { since: reader.events[1]!.id });
    await late.until(({ event }) => event === 'reset');
    // What comes while so much is new is told by reading again, but not all the time.
    await sleep(600);
    expect(reader.events.filter(({ event }) => event === 'reset')).toHaveLength(1);
  });

  it('costs one question per filter and one drawing per kind of reader, however many read', async () => {
    let [questions, reads, drawn] = [0, 0, 0];
    const world = await start({
      source: (source) => ({
        ...source,
        matching: (...asked) => {
          questions++;
          return source.matching(...asked);
        },
        read: (ids) => {
          reads++;
          return source.read(ids);
        },
      }),
      draw: (draw) => (row, viewer) => {
        drawn++;
        return draw(row, viewer);
      },
    });
    const someone = (name: string): Viewer => ({
      name,
      groups: ['payments-approvers'],
      roles: ['approver'],
      stages: 'all',
    });
    for (let number = 0; number < 60; number++) readers.set(`reader-${number}`, someone(`reader-${number}`));
    readers.set('owner', someone('omar'));
    const change = waiting({ owners: ['omar'] });
    await world.write(change);
    const headers = [
      ...Array.from({ length: 40 }, () => ({})),
      ...[...readers.keys()].map((key) => ({ 'X-Reader': key })),
    ];
    const all = await Promise.all(headers.map((one) => world.read('changes:', { headers: one })));
    await sleep(100);
    [questions, reads, drawn] = [0, 0, 0];
    await world.write(moved(change, 2));
    await Promise.all(all.map((reader) => reader.until(({ event, data }) => event === 'row' && data.rev === 2)));
    // Nobody, the approvers, and the one of them whom the change names.
    expect({ questions, reads, drawn }).toEqual({ questions: 1, reads: 1, drawn: 3 });
    const htmlOf = (at: number) => all[at]!.rows()[0]!.data.html as string;
    expect(htmlOf(0)).not.toContain('You');
    expect(htmlOf(41)).toContain('You');
    for (const reader of all) reader.close();
  });

  it('of who reads too slowly is ended, and others are not held up', async () => {
    const padding = 'x'.repeat(100_000);
    const world = await start({
      coalesceMs: 20,
      draw: (draw) => (row, viewer) => ({ ...draw(row, viewer), html: padding }),
    });
    const change = waiting();
    await world.write(change);
    const { port } = new URL(world.url);
    const slow = connect(Number(port), '127.0.0.1');
    slow.on('error', () => {});
    slow.write('GET /events?topics=changes: HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(slow, 'readable');
    slow.pause();
    const quick = await world.read('changes:');
    expect(world.streams.open).toBe(2);
    for (let rev = 2; world.streams.open > 1; rev++) {
      expect(rev).toBeLessThan(150);
      await world.write(moved(change, rev));
      await quick.until(({ event, data }) => event === 'row' && data.rev === rev);
    }
    slow.destroy();
    quick.close();
  });

  it('ends at once when the service stops, and none begins then', async () => {
    const world = await start();
    const open = [await world.read('changes:'), await world.read('fleet')];
    const began = performance.now();
    world.shutDown();
    await Promise.all(open.map(({ ended }) => ended));
    expect(performance.now() - began).toBeLessThan(500);
    expect(await refusalOf(world, 'topics=fleet')).toMatchObject({ status: 503, code: 'overloaded' });
  });

  it('ends with a reason when its reader may not read any more', async () => {
    const world = await start({ heartbeatMs: 50 });
    readers.set('ada', { name: 'ada', groups: [], roles: ['viewer'], stages: [] });
    const reader = await world.read('changes:', { headers: { 'X-Reader': 'ada' } });
    const stranger = await world.read('changes:');
    await reader.until(({ event }) => event === 'beat');
    readers.delete('ada');
    const { data } = await reader.until(({ event }) => event === 'end');
    expect(data).toEqual({ reason: 'signed-out' });
    await reader.ended;
    expect(world.streams.open).toBe(1);
    stranger.close();
  });

  it('is one of a limited number, in all and for each session', async () => {
    const world = await start({ maxReaders: 22 });
    readers.set('ada', { name: 'ada', groups: [], roles: ['viewer'], stages: [] });
    const hers = { 'X-Reader': 'ada' };
    const open = await Promise.all(Array.from({ length: 20 }, () => world.read('fleet', { headers: hers })));
    expect(await refusalOf(world, 'topics=fleet', hers)).toMatchObject({ status: 503, code: 'overloaded' });
    open.push(await world.read('fleet'), await world.read('fleet'));
    expect(await refusalOf(world, 'topics=fleet')).toMatchObject({ status: 503, code: 'overloaded' });
    open.pop()?.close();
    await sleep(50);
    open.push(await world.read('fleet'));
    for (const reader of open) reader.close();
  });

  it('of strangers leaves room for those who have signed in', async () => {
    const world = await start({ maxReaders: 3 });
    readers.set('ada', { name: 'ada', groups: [], roles: ['viewer'], stages: [] });
    const open = [await world.read('fleet'), await world.read('fleet')];
    expect(await refusalOf(world, 'topics=fleet')).toMatchObject({ status: 503, code: 'overloaded' });
    open.push(await world.read('fleet', { headers: { 'X-Reader': 'ada' } }));
    for (const reader of open) reader.close();
    await sleep(50);
    const lists = (first: number, count: number) =>
      Array.from({ length: count }, (_, at) => `topics=change:${first + at}`).join('&');
    expect(await refusalOf(world, lists(0, 41))).toMatchObject({ status: 503, detail: expect.stringMatching(/^40 /) });
    expect(await refusalOf(world, lists(0, 64), { 'X-Reader': 'ada' })).toMatchObject({ status: 200 });
  });

  it.each([
    'since=x',
    'topics=',
    'topics=nothing',
    'topics=change:',
    'topics=evaluations:checkout',
    'topics=changes:q=%2500',
    `topics=changes:${'x'.repeat(2_001)}`,
    Array.from({ length: 65 }, (_, at) => `topics=change:${at}`).join('&'),
  ])('is refused for what nobody can be told of: %.40s', async (query) => {
    const world = await start();
    expect(await refusalOf(world, query)).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(world.streams.open).toBe(0);
  });

  it('with a filter that makes no sense holds up nobody', async () => {
    const world = await start();
    const change = waiting();
    await world.write(change);
    const odd = await world.read('changes:cursor=garbage&since=yesterday&limit=-1&state=%F0%9F');
    const reader = await world.read('changes:');
    await world.write(moved(change, 2));
    await reader.until(({ event, data }) => event === 'row' && data.rev === 2);
    odd.close();
  });
});

describe('a page that is asked for again', () => {
  it('is not sent again until something changed, and never to another reader', async () => {
    const world = await start();
    readers.set('ada', { name: 'ada', groups: [], roles: ['viewer'], stages: [] });
    const change = waiting();
    await world.write(change);
    await sleep(100);
    const ask = (path: string, headers: Record<string, string> = {}) => fetch(world.url + path, { headers });
    const first = await ask('/changes?state=waiting');
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\/"/);
    expect(await first.text()).toContain(change.id);
    const again = await ask('/changes?state=waiting', { 'If-None-Match': tag });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect((await ask('/changes?state=failed', { 'If-None-Match': tag })).status).toBe(200);
    expect((await ask('/changes?state=waiting', { 'If-None-Match': tag, 'X-Reader': 'ada' })).status).toBe(200);
    await world.write(moved(change, 2));
    await sleep(700);
    const changed = await ask('/changes?state=waiting', { 'If-None-Match': tag });
    expect(await changed.text()).toContain('title 2');
  });
});

async function refusalOf(world: LiveWorld, query: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${world.url}/events?${query}`, { headers });
  if (answer.ok) await answer.body?.cancel();
  return { status: answer.status, ...(answer.ok ? {} : ((await answer.json()) as object)) };
}
