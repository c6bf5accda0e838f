import { describe, expect, it } from 'vitest';
import { toFluxApplication } from '../../src/adapters/delivery-systems/flux-application.ts';
import type { JsonObject } from '../../src/base/json.ts';
import type { Application } from '../../src/events/application.ts';
import { recordedStories, type Step } from '../support/flux-statuses.ts';

const CONTEXT = { system: 'eu', labelPrefix: 'lynceus.dev' };
const stories = new Map(recordedStories().map(({ what, steps }) => [what, steps]));

/** Every look at an application that a watch of its objects would have caused. */
function looksAt(name: string, steps: readonly Step[]): { object: JsonObject; application: Application }[] {
  return steps.flatMap(({ world }) => {
    const object = world.get(`Kustomization/${name}`);
    if (!object) return [];
    const { sourceRef } = object['spec'] as { sourceRef: { name: string } };
    const found = {
      source: world.get(`GitRepository/${sourceRef.name}`),
      follows: world.get('GitRepository/checkout') ?? world.get(`GitRepository/${sourceRef.name}`),
      gate: world.get(`Kustomization/${name}-gate`),
    };
    const around = Object.fromEntries(Object.entries(found).filter(([, one]) => one !== undefined));
    return [{ object, application: toFluxApplication({ object, ...around }, CONTEXT) }];
  });
}

/** `Running 882e18 Progressing`, as often as it changes. */
function courseOf(what: string, name = 'auto'): string[] {
  const said = looksAt(name, stories.get(what) ?? []).map(({ application: { operation, health } }) =>
    [operation?.phase ?? 'nothing', operation?.revision?.slice(0, 6) ?? '-', health.status].join(' '),
  );
  return said.filter((one, at) => one !== said[at - 1]);
}

describe('what the controllers of Flux really wrote', () => {
  it.each<[string, string[], string?]>([
    ['its source has fetched nothing yet', ['nothing - Unknown'], 'checkout'],
    [
      'a first revision is applied',
      ['nothing - Progressing', 'Running b9af55 Progressing', 'Succeeded b9af55 Healthy'],
    ],
    [
      'a new revision is applied',
      [
        'Succeeded b9af55 Healthy',
        'Running f15375 Progressing',
        // Ready is True of it, and what is told as applied is the one before.
        'Running f15375 Healthy',
        'Succeeded f15375 Healthy',
      ],
    ],
    [
      'it is looked at anew, as in every interval',
      [
        'Running 882e18 Healthy',
        // The health checks of this look.
        'Running 882e18 Progressing',
        'Running 882e18 Healthy',
        'Succeeded 882e18 Healthy',
      ],
    ],
    [
      'its manifests cannot be built, twice',
      [
        'Succeeded e7ade2 Healthy',
        'Running dd98d1 Progressing',
        'Failed dd98d1 Unknown',
        'Running dd98d1 Progressing',
        'Failed dd98d1 Unknown',
      ],
    ],
    [
      'it is never healthy',
      [
        'Running 4f7256 Progressing',
        'Running 60129d Progressing',
        'Failed 60129d Degraded',
        'Running 60129d Progressing',
        'Running 48a543 Progressing',
      ],
    ],
  ])('is followed to its end, and not called a success before: %s', (what, course, name = 'auto') => {
    expect(courseOf(what, name)).toEqual(course);
  });

  it('never is healthy while it is suspended, whatever Ready and the handled request say', () => {
    const looks = looksAt('auto', stories.get('it is suspended, asked to reconcile, and resumed') ?? []);
    const suspended = looks.filter(({ application }) => application.held === 'suspended');
    expect(suspended.length).toBeGreaterThan(3);
    expect(new Set(suspended.map(({ application }) => application.health.status))).toEqual(new Set(['Unknown']));
    expect(looks.at(-1)?.application).toMatchObject({
      operation: { phase: 'Succeeded' },
      health: { status: 'Healthy' },
    });
  });

  it('tells a release through a gated source as one operation, from the pin to the rollout', () => {
    const what = 'a gated source is released';
    expect(courseOf(what, 'checkout')).toEqual([
      'Running - Progressing',
      'Running f15375 Progressing',
      'Succeeded f15375 Healthy',
    ]);
    const last = looksAt('checkout', stories.get(what) ?? []).at(-1);
    expect(last?.application.operation?.infos).toEqual({ 'lynceus.dev/task': 'T1' });
  });

  it('tells a release through a dependency, which stays a success when the gate is closed again', () => {
    expect(courseOf('a dependency opens and closes', 'dep')).toEqual([
      'nothing - Progressing',
      'Running - Progressing',
      'Running 3e2d03 Progressing',
      'Succeeded 3e2d03 Healthy',
    ]);
  });

  it('never is a success of anything but what was applied', () => {
    const looks = [...stories.values()].flatMap((steps) =>
      ['auto', 'checkout', 'dep'].flatMap((name) => looksAt(name, steps)),
    );
    const good = looks.filter(({ application }) => application.operation?.phase === 'Succeeded');
    expect(good.length).toBeGreaterThan(10);
    for (const { object, application } of good) {
      const { lastAppliedRevision } = object['status'] as { lastAppliedRevision?: string };
      expect(lastAppliedRevision).toContain(application.operation?.revision);
    }
  });
});
