import { describe, expect, it } from 'vitest';
import { toFluxApplication } from '../../src/adapters/delivery-systems/flux-application.ts';
import { isSame } from '../../src/engine/revisions.ts';
import { deployedRevision } from '../../src/engine/rollout.ts';
import type { Application } from '../../src/events/application.ts';
import { recordedStories } from '../support/flux-statuses.ts';

const CONTEXT = { system: 'eu', labelPrefix: 'lynceus.dev' };
const stories = new Map(recordedStories('helm-releases').map(({ what, steps }) => [what, steps]));

/** Every look at the release that a watch of its objects would have caused. */
function looksAt(what: string): Application[] {
  return (stories.get(what) ?? []).flatMap(({ world }) => {
    const object = world.get('HelmRelease/checkout');
    const source = world.get('OCIRepository/checkout');
    return object && source ? [toFluxApplication({ object, source, follows: source }, CONTEXT)] : [];
  });
}

/** `Running b53df7 Progressing`, as often as it changes. */
function courseOf(what: string): string[] {
  const said = looksAt(what).map(({ operation, health }) => {
    const retry = operation?.retrying === true ? ' again' : '';
    return `${operation?.phase ?? 'nothing'} ${operation?.revision?.slice(7, 13) ?? '-'} ${health.status}${retry}`;
  });
  return said.filter((one, at) => one !== said[at - 1]);
}

describe('what helm-controller really wrote', () => {
  it.each<[string, string[]]>([
    [
      'a chart is installed',
      ['nothing - Unknown', 'nothing - Progressing', 'Running 7589b0 Progressing', 'Succeeded 7589b0 Healthy'],
    ],
    [
      'a newer chart is applied',
      [
        'Succeeded 7589b0 Healthy',
        'Succeeded 7589b0 Progressing',
        'Running b53df7 Progressing',
        'Succeeded b53df7 Progressing',
        'Succeeded b53df7 Healthy',
      ],
    ],
    [
      'the same chart is applied with other values',
      ['Succeeded b53df7 Healthy', 'Running b53df7 Unknown', 'Running b53df7 Progressing', 'Succeeded b53df7 Healthy'],
    ],
    [
      'a chart that never gets ready is taken back, tried again and taken back',
      [
        'Succeeded b53df7 Healthy',
        'Succeeded b53df7 Progressing',
        'Running cae469 Progressing',
        'Running cae469 Degraded again',
        // Taken back, and not over: one retry is left.
        'Running cae469 Progressing',
        'Running cae469 Degraded again',
        'Failed cae469 Degraded',
      ],
    ],
    [
      'the chart after one that was taken back',
      [
        'Failed cae469 Degraded',
        'Running cae469 Degraded again',
        'Running cae469 Progressing',
        // `Remediated` is still True, of the chart before.
        'Running a7eca2 Progressing',
        'Succeeded a7eca2 Progressing',
        'Succeeded a7eca2 Healthy',
      ],
    ],
  ])('%s', (what, course) => {
    expect(courseOf(what)).toEqual(course);
  });

  it('never says of a chart that was not taken back that it failed, nor before the last retry', () => {
    const failed = [...stories.keys()].flatMap(looksAt).filter(({ operation }) => operation?.phase === 'Failed');
    expect(new Set(failed.map(({ operation }) => operation?.revision?.slice(7, 13)))).toEqual(new Set(['cae469']));
    expect(failed[0]?.operation?.message).toMatch(/was taken back by its own remediation/);
  });

  it('is known again after two rollbacks, which lose its digest', () => {
    const looks = looksAt('a chart that never gets ready is taken back, tried again and taken back');
    const [before, after] = [looks[0], looks.at(-1)].map((look) => look && deployedRevision(look));
    expect(before).toMatch(/^sha256:b53df76d4185/);
    expect(isSame({ revision: after ?? '' }, { revision: before ?? '' })).toBe(true);
  });

  it('is applied as its digest, which its source offers, whatever the version says', () => {
    const last = looksAt('a newer chart comes while it is suspended, which ends').at(-1);
    expect(last).toMatchObject({ syncStatus: 'Synced', operation: { phase: 'Succeeded' } });
    expect(last?.operation?.revision).toBe(last?.targetRevision);
    expect(last?.history.map(({ revision }) => revision.slice(0, 7))).toContain('sha256:');
  });

  it('is held while it is suspended, with what is live unchanged', () => {
    const held = looksAt('a newer chart comes while it is suspended, which ends').filter((look) => look.held);
    expect(held.at(-1)).toMatchObject({
      held: 'suspended',
      syncStatus: 'OutOfSync',
      operation: { phase: 'Succeeded' },
    });
  });
});
