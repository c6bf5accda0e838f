import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ChangeMoved, ChangePosition, ChangeRecord, ChangesQuery } from '../../src/store/changes.ts';
import { InvalidEventError, type Store } from '../../src/store/store.ts';
import type { OpenedStore } from './store.ts';

let counter = 0;
function fresh(word: string): string {
  counter += 1;
  return `${word}-${counter}`;
}

function aChange(fields: Partial<ChangeRecord> = {}): ChangeRecord {
  return {
    id: fresh('change'),
    version: 1,
    project: 'shop',
    service: 'checkout',
    state: 'running',
    kind: 'code',
    rank: 2,
    createdAt: 1_700_000_000_000,
    movedAt: 1_700_000_000_000,
    keys: [],
    data: {},
    ...fields,
  };
}

/** What every store promises about the records of changes. */
export function changesContract(opened: () => OpenedStore): void {
  const store = (): Store => opened().store;
  const write = (...changes: ChangeRecord[]) => store().commit({ changes });
  const list = (query: ChangesQuery) => store().changes(query);
  const ids = async (query: ChangesQuery) => (await list(query)).records.map(({ id }) => id).join(' ');

  describe('records of changes', () => {
    it('keeps a record as it is, but for what it is found by', async () => {
      const change = aChange({
        team: 'payments',
        author: 'ada',
        stage: 'prod',
        keys: [{ name: 'commit', value: 'abc' }],
        data: { title: 'ä\u2028"', deep: [1.5, null, { a: true }] },
      });
      const { keys, ...stored } = change;
      await write(change);
      expect(keys).toHaveLength(1);
      expect(await store().changesById([fresh('none'), change.id])).toEqual([stored]);
      const bare = aChange();
      await write(bare);
      expect(Object.keys((await store().changesById([bare.id]))[0]!)).not.toContain('team');
    });

    it('ignores late writers, their keys included, and lets the same version correct itself', async () => {
      const id = fresh('change');
      const name = fresh('key');
      const found = async (value: string) => (await store().findChanges({ name, value })).length;
      const at = (version: number, value: string) =>
        aChange({ id, version, state: value, keys: [{ name, value }], data: { value } });
      await write(at(5, 'five'));
      await write(at(4, 'four'));
      expect(await store().changesById([id])).toMatchObject([{ version: 5, state: 'five', data: { value: 'five' } }]);
      expect([await found('four'), await found('five')]).toEqual([0, 1]);
      await write(at(5, 'better'));
      expect(await store().changesById([id])).toMatchObject([{ version: 5, state: 'better' }]);
      expect([await found('five'), await found('better')]).toEqual([0, 1]);
      await write(at(6, 'six'), at(8, 'eight'), at(7, 'seven'));
      expect(await store().changesById([id])).toMatchObject([{ version: 8, state: 'eight' }]);
      expect([await found('better'), await found('seven'), await found('eight')]).toEqual([0, 0, 1]);
    });

    it('keeps the keys of the winner when two write the same change at once', async () => {
      const name = fresh('key');
      const id = fresh('change');
      const versions = Array.from({ length: 20 }, (_, index) => index + 1);
      await Promise.all(
        versions.map((version) => write(aChange({ id, version, keys: [{ name, value: `v${version}` }] }))),
      );
      expect(await store().changesById([id])).toMatchObject([{ version: 20 }]);
      expect(await store().findChanges({ name, value: 'v', prefix: true })).toEqual([id]);
      expect(await store().findChanges({ name, value: 'v20' })).toEqual([id]);
    });

    it('removes a record and its keys, and writes it anew in the same commit at a lower version', async () => {
      const name = fresh('key');
      const [gone, anew] = [aChange({ version: 9, keys: [{ name, value: 'gone' }] }), aChange({ version: 9 })];
      await write(gone, anew);
      await store().commit({
        changesGone: [gone.id, anew.id],
        changes: [{ ...anew, version: 2, keys: [{ name, value: 'anew' }] }],
      });
      expect(await store().changesById([gone.id, anew.id])).toMatchObject([{ id: anew.id, version: 2 }]);
      expect(await store().findChanges({ name, value: 'gone' })).toEqual([]);
      expect(await store().findChanges({ name, value: 'anew' })).toEqual([anew.id]);
    });

    it('writes nothing of a commit that is refused', async () => {
      const change = aChange();
      const claim = { queue: fresh('queue'), key: 'k', token: 'lost' };
      await expect(store().commit({ changes: [change], claim })).rejects.toThrow(/lease/);
      expect(await store().changesById([change.id])).toEqual([]);
    });

    it.each([
      ['a rank below zero', { rank: -1 }],
      ['a time that is none', { createdAt: Number.NaN }],
      ['a name that is too long for an index', { author: 'ä'.repeat(200) }],
      ['an empty key', { keys: [{ name: 'commit', value: '' }] }],
      ['a NUL character in a key', { keys: [{ name: 'commit', value: 'a\u0000' }] }],
      ['data that is no object', { data: [] as never }],
    ])('refuses %s', async (_, fields) => {
      await expect(write(aChange(fields))).rejects.toBeInstanceOf(InvalidEventError);
    });

    it('holds names as long as it says', async () => {
      const long = () => randomText(250);
      const place = { project: long(), service: long(), team: long(), author: long(), stage: long() };
      const change = aChange({ ...place, id: long(), state: long(), kind: long() });
      await write({ ...change, keys: [{ name: randomText(512), value: randomText(512) }] });
      expect(await ids({ project: [place.project] })).toBe(change.id);
    });
  });

  describe('lists of changes', () => {
    it('order by rank, then newest first, then id, and page without gaps or repetitions', async () => {
      const project = [fresh('project')];
      const one = (id: string, rank: number, createdAt: number) =>
        aChange({ id: `${project}-${id}`, project: project[0]!, rank, createdAt });
      await write(one('a', 2, 5), one('b', 0, 1), one('c', 2, 7), one('d', 2, 7), one('e', 3, 9), one('f', 0, 2));
      const seen: string[] = [];
      let after: ChangePosition | undefined;
      do {
        const page = await list({ project, limit: 2, ...(after ? { after } : {}) });
        expect(page.total).toBe(seen.length > 0 ? 7 : 6);
        seen.push(...page.records.map(({ id }) => id.slice(-1)));
        // One that comes in meanwhile belongs onto a page that was read, and shifts none.
        if (after === undefined) await write(one('z', 0, 3));
        after = page.next;
      } while (after !== undefined && seen.length < 20);
      expect(seen.join('')).toBe('fbcdae');
    });

    it('filter by every column, by time and by keys, and by all of them together', async () => {
      const project = fresh('project');
      const person = fresh('person');
      const one = (id: string, fields: Partial<ChangeRecord>) =>
        aChange({ id: `${project}-${id}`, project, ...fields });
      await write(
        one('a', { service: 'cart', author: 'ada', movedAt: 10, keys: [{ name: 'needs', value: person }] }),
        one('b', { state: 'failed', kind: 'rollback', movedAt: 20 }),
        one('c', { team: 'payments', stage: 'prod', movedAt: 30, keys: [{ name: 'needs', value: `${person}+1` }] }),
        one('d', {
          team: 'identity',
          stage: 'prod',
          keys: [
            { name: 'needs', value: person },
            { name: 'word', value: 'retry' },
          ],
        }),
      );
      const found = async (query: ChangesQuery) =>
        (await ids({ project: [project], ...query })).replaceAll(`${project}-`, '');
      expect(await found({})).toBe('a b c d');
      expect(await found({ service: ['cart', 'none'] })).toBe('a');
      expect(await found({ author: ['ada'] })).toBe('a');
      expect(await found({ state: ['failed'] })).toBe('b');
      expect(await found({ kind: ['rollback', 'code'], state: ['failed'] })).toBe('b');
      expect(await found({ stage: ['prod'], team: ['payments'] })).toBe('c');
      expect(await found({ team: ['payments', 'identity'] })).toBe('c d');
      expect(await found({ movedSince: 20 })).toBe('b c d');
      expect(await found({ state: [] })).toBe('');
      expect(await store().countChanges({ project: [project], team: ['payments', 'identity'] })).toBe(2);
      const needs = (prefix: boolean) => ({ names: ['needs'], values: [person], prefix });
      expect(await found({ keys: [needs(false)] })).toBe('a d');
      expect(await found({ keys: [needs(true)] })).toBe('a c d');
      expect(await found({ keys: [{ ...needs(true), often: true }], limit: 2 })).toBe('a c');
      expect(
        await found({ keys: [needs(false), { names: ['word', 'version'], values: ['re', 'xx'], prefix: true }] }),
      ).toBe('d');
      expect(await found({ keys: [needs(false)], service: ['cart'] })).toBe('a');
      expect(await found({ keys: [{ names: ['needs'], values: [] }] })).toBe('');
      // What follows a beginning has an end of its own; and some pass without any key.
      const upTo = (end: string) => ({ names: ['needs'], values: [`${person}+`], upTo: end });
      expect(await found({ keys: [upTo('0')] })).toBe('');
      expect(await found({ keys: [upTo('1')] })).toBe('c');
      const orB = { ...needs(false), orId: [`${project}-b`, `${project}-d`, 'nobody'] };
      expect(await found({ keys: [orB] })).toBe('a b d');
      expect(await found({ keys: [{ ...orB, often: true }], state: ['failed'] })).toBe('b');
      expect(await found({ keys: [{ ...orB, values: [] }] })).toBe('b d');
      const counted = await list({ project: [project], keys: [orB], stage: ['prod'] });
      expect(counted).toMatchObject({ total: 1, facets: { team: { identity: 1 } } });
      expect(await store().countChanges({ project: [project], keys: [orB] })).toBe(3);
    });

    it('count each facet under all filters except its own', async () => {
      const project = [fresh('project')];
      const one = (state: string, stage: string | undefined, team: string) =>
        aChange({ project: project[0]!, state, team, ...(stage === undefined ? {} : { stage }) });
      await write(
        one('running', 'dev', 'payments'),
        one('running', 'prod', 'payments'),
        one('failed', 'prod', 'payments'),
        one('failed', 'prod', 'identity'),
        one('passed', undefined, 'identity'),
      );
      expect(await list({ project })).toMatchObject({
        total: 5,
        facets: {
          state: { running: 2, failed: 2, passed: 1 },
          stage: { dev: 1, prod: 3 },
          team: { payments: 3, identity: 2 },
        },
      });
      expect(await list({ project, state: ['failed'], team: ['payments'], limit: 1 })).toMatchObject({
        total: 1,
        facets: {
          state: { running: 2, failed: 1 },
          stage: { prod: 1 },
          team: { payments: 1, identity: 1 },
        },
      });
      expect(await list({ project, count: false })).toMatchObject({
        total: 0,
        facets: { state: {}, stage: {}, team: {} },
      });
    });
  });

  describe('counts of changes', () => {
    it('stay exact for whoever filters by facets alone, while many changes move at once', async () => {
      const [states, stages] = [[1, 2, 3].map(() => fresh('state')), ['dev', 'prod', undefined]];
      const [project, team] = [fresh('project'), fresh('team')];
      const changes = Array.from({ length: 60 }, (_, nth) => ({ id: `${project}-${nth}`, nth }));
      const moved = (version: number, { id, nth }: (typeof changes)[number]) => {
        const [state = '', stage] = [states[(version * nth) % 3], stages[(version + nth) % 3]];
        return aChange({ id, version, project, team, state, ...(stage === undefined ? {} : { stage }) });
      };
      for (let version = 1; version <= 9; version += 1) {
        const parts = Array.from({ length: 6 }, (_, part) => changes.filter(({ nth }) => nth % 6 === part));
        await Promise.all(parts.map((part) => write(...part.map((change) => moved(version, change)))));
      }
      await write(moved(3, changes[1]!), aChange({ id: changes[2]!.id, version: 9, project, state: states[0]! }));
      await store().commit({ changesGone: changes.slice(50).map(({ id }) => id) });
      // Read row by row, as the project is nothing that is kept counted.
      const read = await list({ project: [project], limit: 1 });
      expect(read.total).toBe(50);
      const { facets, total } = await list({ state: states, limit: 1 });
      expect([facets.state, total]).toEqual([expect.objectContaining(read.facets.state), 50]);
      expect(facets.stage).toEqual(read.facets.stage);
      expect(facets.team).toEqual({ [team]: 49 });
      const counted = { state: states.slice(1), stage: ['prod'], team: [team] };
      const some = await list({ project: [project], ...counted });
      expect(some.records).toHaveLength(some.total);
      expect(await list({ ...counted, limit: 1 })).toMatchObject({ total: some.total });
      expect(await store().countChanges(counted)).toBe(some.total);
      expect(await store().countChanges({})).toBe((await list({ limit: 1 })).total);
    });

    it('are the same for what often recurs as for what hardly does', async () => {
      const name = fresh('word');
      const [state, team] = [fresh('state'), fresh('team')];
      const keys = (...values: string[]) => values.map((value) => ({ name, value }));
      await write(
        aChange({ state, team, keys: keys('retry', 'card') }),
        aChange({ state, keys: keys('retries') }),
        aChange({ keys: keys('card') }),
      );
      for (const often of [false, true]) {
        const found = (value: string) => ({ names: [name, 'version'], values: [value], prefix: true, often });
        const { total, facets } = await list({ keys: [found('retr')], limit: 1 });
        expect([total, facets.state, facets.team]).toEqual([2, { [state]: 2 }, { [team]: 1 }]);
        expect(await list({ keys: [found('retr'), found('card')], state: [state] })).toMatchObject({ total: 1 });
        expect(await store().countChanges({ keys: [found('card')], state: [state] })).toBe(1);
      }
    });
  });

  describe('finding changes', () => {
    it('answers the newest first, by the whole value or its beginning', async () => {
      const name = fresh('commit');
      const one = (createdAt: number, value: string) => aChange({ createdAt, keys: [{ name, value }] });
      const [old, young, other] = [one(1, 'a1b2c3'), one(9, 'a1b2ff'), one(5, 'a1b3')];
      await write(old, young, other);
      expect(await store().findChanges({ name, value: 'a1b2', prefix: true })).toEqual([young.id, old.id]);
      expect(await store().findChanges({ name, value: 'a1b2', prefix: true, limit: 1 })).toEqual([young.id]);
      expect(await store().findChanges({ name, value: 'a1b3' })).toEqual([other.id]);
      expect(await store().findChanges({ name, value: 'a1b' })).toEqual([]);
      expect(await store().findChanges({ name, value: 'A1B3' })).toEqual([]);
      // No pattern language: these are characters like others.
      expect(await store().findChanges({ name, value: '%', prefix: true })).toEqual([]);
    });
  });

  describe('telling that changes were written', () => {
    it('says what was written since, the last first, and not what was written in vain', async () => {
      const [{ at: before = 0 } = {}] = await store().changesWritten({ since: 0, limit: 1 });
      const [one, other] = [aChange({ version: 3 }), aChange()];
      await write(one);
      await sleep(3);
      await write(other);
      await sleep(3);
      await write({ ...other, version: 0, state: 'late' });
      const [last, first, ...rest] = await store().changesWritten({ since: before + 1, limit: 10 });
      expect([last, first, rest]).toMatchObject([{ id: other.id, rev: 1 }, { id: one.id, rev: 3 }, []]);
      expect(last!.at).toBeGreaterThan(first!.at);
      expect(await store().changesWritten({ since: last!.at, limit: 10 })).toEqual([last]);
      expect(await store().changesWritten({ since: 0, limit: 1 })).toEqual([last]);
      const asked = { id: [one.id, fresh('none')], state: [one.state] };
      expect((await list({ ...asked, count: false })).records).toMatchObject([{ id: one.id }]);
      expect(await ids({ ...asked, state: ['failed'] })).toBe('');
    });

    it('calls back once for what was written together, and not for what was not', async () => {
      const mine = await opened().openAnother();
      const told: (readonly ChangeMoved[])[] = [];
      const end = mine.onChanged((moved) => told.push(moved));
      const [one, other] = [aChange({ version: 3 }), aChange({ version: 4 })];
      // Long enough for a listening connection to be up.
      const settled = () => sleep(150);
      await settled();
      told.length = 0;
      await mine.commit({ changes: [one, other] });
      await settled();
      expect(told).toEqual([
        [
          { id: one.id, rev: 3 },
          { id: other.id, rev: 4 },
        ],
      ]);
      await mine.commit({ changes: [one, { ...other, version: 2, state: 'failed' }] });
      await settled();
      expect(told).toHaveLength(1);
      end();
      await mine.commit({ changes: [{ ...one, version: 5 }] });
      await settled();
      expect(told).toHaveLength(1);
      await mine.close();
    });
  });
}

function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return [...bytes].map((byte) => String.fromCharCode(33 + (byte % 90))).join('');
}
