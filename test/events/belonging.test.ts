import { describe, expect, it } from 'vitest';
import { toApplication } from '../../src/adapters/delivery-systems/argocd-application.ts';
import { belongingOf } from '../../src/events/belonging.ts';

const of = (labels: Record<string, string>, annotations: Record<string, string> = {}) =>
  belongingOf(labels, annotations, 'lynceus.dev');

describe('whom an application belongs to', () => {
  it('is its team, by a label or an annotation', () => {
    expect(of({ 'lynceus.dev/team': 'payments' }, { 'lynceus.dev/team': 'other' })).toEqual({ team: 'payments' });
    expect(of({}, { 'lynceus.dev/team': 'payments' })).toEqual({ team: 'payments' });
    expect(of({})).toEqual({});
  });

  it('is its owners: people, and groups as Git hosts name them', () => {
    const owners = 'ada, @omar,acme/sre , group:on-call, ada,';
    expect(of({}, { 'lynceus.dev/owners': owners })).toEqual({
      owners: ['ada', 'omar', 'group:acme/sre', 'group:on-call'],
    });
  });

  it('is nobody by what is no name, and ten at most', () => {
    const hostile = ['a b', '\u202eada', 'x'.repeat(200), '', '<b>\u0000'].join(',');
    expect(of({ 'lynceus.dev/team': 'pay ments' }, { 'lynceus.dev/owners': hostile })).toEqual({});
    const many = Array.from({ length: 30 }, (_, at) => `p${at}`).join(',');
    expect(of({}, { 'lynceus.dev/owners': many }).owners).toHaveLength(10);
  });
});

describe('where an application of Argo CD is deployed', () => {
  const context = { system: 'main', url: 'https://cd', labelPrefix: 'lynceus.dev', controlPlaneNamespace: 'argocd' };
  it.each([
    [{ name: 'eu-1', server: 'https://1.2.3.4' }, 'eu-1'],
    [{ server: 'https://kubernetes.default.svc' }, 'in-cluster'],
    [{ server: 'https://eu.example.com:6443/' }, 'eu.example.com:6443'],
    [{ server: 'nowhere' }, undefined],
    [{}, undefined],
    ['broken', undefined],
  ])('%j is %s', (destination, cluster) => {
    const labels = { 'lynceus.dev/team': 'payments' };
    const raw = { metadata: { name: 'checkout', labels }, spec: { destination } };
    expect(toApplication(raw, context)).toMatchObject({ team: 'payments' });
    expect(toApplication(raw, context).cluster).toBe(cluster);
  });
});
