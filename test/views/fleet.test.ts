import { describe, expect, it } from 'vitest';
import { fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { Application } from '../../src/events/application.ts';
import { type FleetInput, fleetService, type Running, runningOf } from '../../src/views/fleet.ts';
import { behindOf, driftOf } from '../../src/views/fleet-drift.ts';
import { type FleetEntry, type FleetQuery, fleetEntry, fleetPage, NO_TEAM } from '../../src/views/fleet-page.ts';
import { planned, taskFinished, taskTriggered, triggered } from '../support/sequence.ts';

const PLACE = { project: 'shop', service: 'checkout' };
const day = (nth: number) => `2026-11-${String(nth).padStart(2, '0')}T10:00:00.000Z`;

function app(stage: string, cluster: string, version: string, change: Partial<Running> = {}) {
  const ref = { system: 'main', namespace: 'argocd', name: `checkout-${cluster}`, uid: cluster, systemProject: 'p' };
  const running: Running = { images: [`ghcr.io/acme/checkout:${version}`], health: 'Healthy', sync: 'Synced', cluster };
  return { stage, ref, runs: { ...running, since: day(1), ...change } };
}

/** Delivered a version to a stage on a day of November. */
function delivered(stage: string, version: string, on: number, change = `c-${version}`): SequenceState {
  const at = day(on);
  const [first] = [
    triggered({
      sequence: `${stage}-${version}`,
      context: change,
      place: { ...PLACE, stage },
      revision: `${on}`.repeat(40).slice(0, 40),
    }),
  ];
  const history = [
    { ...first, at } as typeof first,
    ...planned(),
    taskTriggered(1, 'sync'),
    taskFinished('sync', 'pass'),
    taskTriggered(2, 'rollout'),
    taskFinished('rollout', 'pass', { data: { images: [`ghcr.io/acme/checkout:${version}`] } }),
    {
      name: 'sequence.finished' as const,
      at,
      data: { status: 'succeeded' as const, result: 'pass' as const, reason: 'completed' as const, message: 'done' },
    },
  ];
  return fold(history);
}

function service(input: Partial<FleetInput>) {
  return fleetService({ ...PLACE, applications: [], sequences: [], evaluations: new Map(), ...input });
}

describe('a service in the fleet', () => {
  const applications = [
    app('prod', 'us-1', '1.7.9'),
    app('prod', 'eu-1', '1.8.1'),
    app('staging', 'dev-1', '1.8.2'),
    app('prod', 'eu-2', '1.8.1'),
  ];
  const sequences = [
    delivered('prod', '1.7.9', 1),
    delivered('staging', '1.8.1', 5),
    delivered('prod', '1.8.1', 12),
    delivered('staging', '1.8.2', 20),
  ];
  const checkout = service({ applications, sequences });

  it('says which place is furthest behind, how far, and since when there is something newer', () => {
    expect(driftOf(checkout)).toMatchObject({ where: 'us-1', count: 2, since: day(5) });
    const eu1 = checkout.units.find(({ cluster }) => cluster === 'eu-1');
    expect(eu1 && behindOf(eu1, checkout)).toEqual({ count: 1, since: day(20) });
    expect(checkout.differs).toBe(true);
  });

  it('knows what was delivered last to the last stage, and what was good there before', () => {
    const prod = checkout.stages.find(({ stage }) => stage === 'prod');
    expect(prod?.last).toEqual({ change: 'c-1.8.1', label: '1.8.1', at: day(12) });
    expect(prod?.good).toEqual({ change: 'c-1.7.9', label: '1.7.9', at: day(1) });
    expect(checkout.lastAt).toBe(day(12));
  });

  it('neither tells of as the last one nor as a good one what a person had taken back', () => {
    const asked = { what: 'rollback', sequence: 'prod-1.8.1', decision: 'd', actor: 'lin', reason: 'carts' } as const;
    const at = day(13);
    const first = {
      ...triggered({ sequence: 'back', context: 'c-1.8.1', place: { ...PLACE, stage: 'prod' }, asked }),
      at,
    };
    const steps = [taskTriggered(1, 'rollback'), taskFinished('rollback', 'pass')];
    const how = { status: 'succeeded', result: 'fail', reason: 'failed', message: 'went back' } as const;
    const back = fold([
      first as (typeof steps)[0],
      ...planned().slice(1),
      ...steps,
      { name: 'sequence.finished', at, data: how },
    ]);
    const prod = [delivered('prod', '1.7.9', 1), delivered('prod', '1.8.0', 5), delivered('prod', '1.8.1', 12)];
    const [stage] = service({ sequences: [...prod, back] }).stages;
    expect(stage).toMatchObject({ last: { label: '1.8.0' }, good: { label: '1.7.9' } });
  });

  it('knows what a merged revert brought back, and goes no further back to what it took back', () => {
    const prod = [delivered('prod', '1.8.0', 5), delivered('prod', '1.8.1', 12)];
    const reverted = delivered('prod', '1.8.0', 13, 'revert');
    const rollsBack = { sequence: 'prod-1.8.1', revision: 'b'.repeat(40), to: 'a'.repeat(40), pullRequest: 4 };
    if (reverted.triggered) Object.assign(reverted.triggered, { sequence: 'revert', rollsBack });
    const [stage] = service({ sequences: [delivered('prod', '1.7.9', 1), ...prod, reverted] }).stages;
    expect(stage).toMatchObject({ last: { label: '1.8.0', change: 'revert' }, good: { label: '1.7.9' } });
  });

  it('has its stages in the order in which they usually come where no delivery tells, and its clusters by name', () => {
    expect(checkout.units.map(({ stage, cluster }) => `${stage} ${cluster}`)).toEqual([
      'staging dev-1',
      'prod eu-1',
      'prod eu-2',
      'prod us-1',
    ]);
  });

  it('is the same everywhere where every place runs the same', () => {
    const same = service({ applications: [app('dev', 'a', '1.0.0'), app('prod', 'b', '1.0.0')] });
    expect(same.differs).toBe(false);
    expect(driftOf(same)).toBeUndefined();
  });

  it('is not behind what was tried and is running nowhere any more', () => {
    const tried = service({
      applications: [app('dev', 'a', '1.8.1'), app('prod', 'b', '1.8.1')],
      sequences: [delivered('dev', '1.8.1', 5), delivered('dev', '1.9.0', 9)],
    });
    expect(driftOf(tried)).toBeUndefined();
  });

  it('compares commits within a stage only: each stage may have a branch of its own', () => {
    const commit = (letter: string) => ({ images: [], revision: letter.repeat(40) });
    const branches = [app('dev', 'a', '', commit('a')), app('prod', 'b', '', commit('b'))];
    expect(service({ applications: branches }).differs).toBe(false);
    expect(service({ applications: [...branches, app('prod', 'c', '', commit('c'))] }).differs).toBe(true);
  });

  it('is not well where nothing is known', () => {
    const { ref } = app('dev', 'a', '1.0.0');
    const [unit] = service({ applications: [{ stage: 'dev', ref }] }).units;
    expect(unit).toMatchObject({ health: 'Unknown', sync: 'Unknown', cluster: 'main' });
  });

  it('stands there with its evaluations though it runs nowhere that we know', () => {
    const evaluations = new Map([
      ['ci', [{ id: 'e', ...PLACE, stage: 'ci', context: 'e', state: 'finished' as const }]],
    ]);
    const found = service({ evaluations });
    expect(found.stages.map(({ stage, scores }) => [stage, scores])).toEqual([['ci', [null]]]);
    expect(fleetEntry(found)).toMatchObject({ units: 0, evaluated: true });
  });
});

describe('what an application runs', () => {
  const application = {
    ref: { system: 'eu', namespace: 'shop', name: 'kustomization/checkout', uid: 'u', systemProject: '' },
    labels: { 'acme.io/service': 'checkout', 'acme.io/ring': 'canary' },
    team: 'payments',
    images: [],
    history: [{ revision: 'abc', deployedAt: day(3) }],
    health: { status: 'Healthy' },
    syncStatus: 'Synced',
  } as unknown as Application;

  it('is read with the ring under the prefix of our labels, and with its system where no cluster is named', () => {
    const running = runningOf(application);
    expect(running).toMatchObject({ ring: 'canary', team: 'payments', cluster: 'eu', revision: 'abc', since: day(3) });
    expect(runningOf({ ...application, cluster: 'us-1' }).cluster).toBe('us-1');
  });
});

describe('a page of the fleet', () => {
  const entry = (id: number, change: Partial<FleetEntry> = {}): FleetEntry => {
    const name = `s${String(id).padStart(3, '0')}`;
    const base = { id: `shop/${name}`, project: 'shop', service: name, units: 2, clusters: ['eu-1'], evaluated: false };
    return { ...base, differs: false, ...change };
  };
  const query: FleetQuery = { group: 'team', by: 'stage', differs: false, sort: 'name', open: [] };

  it('closes groups that are the same everywhere, and lists what differs first in the others', () => {
    const { groups } = fleetPage(
      [entry(1, { team: 'a' }), entry(2, { team: 'b' }), entry(3, { team: 'b', differs: true }), entry(4)],
      query,
    );
    expect(groups.map(({ name, shown, differing }) => [name, shown, differing])).toEqual([
      ['a', [], 0],
      ['b', ['shop/s003', 'shop/s002'], 1],
      [NO_TEAM, [], 0],
    ]);
  });

  it('leads through a large group 25 at a time, each service once, also while new ones come', () => {
    const all = Array.from({ length: 60 }, (_, at) => entry(at + 1, { team: 'a', differs: at % 2 === 0 }));
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 5; page++) {
      const where = cursor === undefined ? {} : { cursor };
      const [group] = fleetPage(all, { ...query, in: 'a', ...where }).groups;
      seen.push(...(group?.shown ?? []));
      all.push(entry(500 + page, { team: 'a' }));
      cursor = group?.next;
      if (cursor === undefined) break;
    }
    expect(seen).toHaveLength(new Set(seen).size);
    for (let id = 1; id <= 60; id++) expect(seen).toContain(entry(id).id);
  });

  it('counts what the filters leave, on the server', () => {
    const all = [entry(1, { team: 'payments' }), entry(2, { clusters: ['us-1'] }), entry(3, { project: 'other' })];
    const matching = (change: Partial<FleetQuery>) => fleetPage(all, { ...query, ...change }).matching;
    expect([matching({}), matching({ q: 'PAY' }), matching({ q: 'us-1' }), matching({ project: 'other' })]).toEqual([
      3, 1, 1, 1,
    ]);
    expect(fleetPage(all, { ...query, q: 'nobody' })).toMatchObject({ matching: 0, total: 3, groups: [] });
  });

  it('puts what was delivered last first when asked to', () => {
    const all = [entry(1, { team: 'a', lastAt: day(1) }), entry(2, { team: 'b', lastAt: day(9) }), entry(3)];
    const { groups } = fleetPage(all, { ...query, sort: 'last' });
    expect(groups.map(({ name }) => name)).toEqual(['b', 'a', NO_TEAM]);
  });

  it('leads through many groups by name, and past one that is gone', () => {
    const all = Array.from({ length: 120 }, (_, at) => entry(at, { team: `t${String(at).padStart(3, '0')}` }));
    const first = fleetPage(all, query);
    expect(first.groups).toHaveLength(50);
    const rest = all.filter(({ team }) => team !== first.next);
    const second = fleetPage(rest, { ...query, ...(first.next === undefined ? {} : { cursor: first.next }) });
    expect(second.groups[0]?.name).toBe('t050');
    expect(fleetPage(rest, { ...query, cursor: 'zzz' }).groups).toEqual([]);
  });
});
