import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FluxRole, meaningOf, plainMetadata, releaseIn, roleOf } from '../../src/events/flux-event.ts';

const PAGE = readFileSync(new URL('../../docs/flux.md', import.meta.url), 'utf8');
const [SECTION = ''] = /^## What events mean\n[\s\S]*?(?=^## )/m.exec(PAGE) ?? [];
const SOURCE = readFileSync(new URL('../../src/events/flux-event.ts', import.meta.url), 'utf8');
const codes = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code as string);
/** The rows of "What events mean": meanings in the first cell, reasons in the second. */
const ROWS = [...SECTION.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| (.*) \|$/gm)].map(
  ([, meanings = '', reasons = '']) => ({
    meanings: codes(meanings),
    role: (reasons.startsWith('of a source') ? 'source' : 'consumer') as FluxRole,
    reasons: codes(reasons).filter((reason) => /^(?:[A-Z][a-zA-Z]+)$/.test(reason)),
  }),
);

describe('what an event of Flux means', () => {
  it.each(ROWS.flatMap(({ reasons, ...row }) => reasons.map((reason) => [reason, row] as const)))(
    '%s means what docs/flux.md says',
    (reason, { meanings, role }) => {
      const [healthy] = meanings;
      const message = healthy === 'healthy' ? 'Health check passed in 2s' : 'something happened';
      expect(meanings).toContain(meaningOf({ role, reason, message }));
    },
  );

  it('is one of the meanings that docs/flux.md lists', () => {
    const union = /type FluxMeaning =([^;]*);/.exec(SOURCE)?.[1] ?? '';
    const known = [...union.matchAll(/'([a-z-]+)'/g)].map(([, meaning]) => meaning);
    expect(ROWS.flatMap(({ meanings }) => meanings).sort()).toEqual(known.sort());
  });

  it.each(['', 'Succeeded', 'AllGood', 'constructor', 'reconciliationsucceeded', 'NewArtifact'])(
    'is never a success where the reason of a consumer is "%s"',
    (reason) => {
      expect(meaningOf({ role: 'consumer', reason, message: 'Reconciliation finished in 1s' })).toBe('unknown');
    },
  );

  it.each(['OCIArtifactPullFailed', 'VerificationError', 'InvalidSTSConfiguration', 'URLInvalid', 'AccessDenied'])(
    'is a failure where the reason says so: %s',
    (reason) => {
      expect(meaningOf({ role: 'source', reason, message: '' })).toBe('failed');
    },
  );

  it.each([
    ['Kustomization', 'kustomize.toolkit.fluxcd.io', 'consumer'],
    ['HelmRelease', undefined, 'consumer'],
    ['OCIRepository', 'source.toolkit.fluxcd.io', 'source'],
    ['HelmChart', 'helm.cattle.io', 'other'],
    ['Kustomization', 'kustomize.config.k8s.io', 'other'],
    ['ImagePolicy', 'image.toolkit.fluxcd.io', 'other'],
    ['constructor', undefined, 'other'],
  ])('is about what the kind %s of %s does', (kind, group, role) => {
    expect(roleOf(kind, group)).toBe(role);
  });

  it.each([
    ['Helm upgrade succeeded for release podinfo/podinfo.v12 with chart podinfo@6.6.1', 12],
    ['Helm rollback to previous release apps/web.app.v1 with chart web@1.0.0 succeeded', 1],
    ['Cluster state of release podinfo/podinfo.v2 has drifted from the desired state:\nDeployment changed', 2],
    ['Helm uninstall succeeded', undefined],
    ['release notes of v3', undefined],
  ])('is about the release that the message names: %s', (message, release) => {
    expect(releaseIn(message)).toBe(release);
  });

  it('lets nobody but the controller say what the controller says', () => {
    const metadata = {
      'event.toolkit.fluxcd.io/revision': 'annotation',
      revision: 'alert',
      'helm.toolkit.fluxcd.io/revision': 'controller',
      'helm.toolkit.fluxcd.io/token': 'internal',
      'source.toolkit.fluxcd.io/revision': 'stranger',
      'example.com/team': 'payments',
    };
    expect(plainMetadata('helm.toolkit.fluxcd.io', metadata)).toEqual({
      revision: 'controller',
      'example.com/team': 'payments',
    });
  });
});
