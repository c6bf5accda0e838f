import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { Secret } from '../../src/base/secret.ts';
import { roleOf } from '../../src/events/flux-event.ts';
import { fluxSender } from '../../src/http/senders/flux.ts';

const FOLDER = fileURLToPath(new URL('../../flux-alerts/', import.meta.url));
const NOTIFICATION = 'notification.toolkit.fluxcd.io/v1beta3';

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: manifests of many kinds, held to what their kinds know below
  [field: string]: any;
}

const read = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(FOLDER + file, 'utf8')).map((document) => document.toJS() as Manifest);
const yamls = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
const [provider] = read('provider.yaml') as [Manifest];
const alerts = read('alerts.yaml');
const [secret] = read('secret.example.yaml') as [Manifest];
const rbac = read('rbac.yaml');

/** What the kinds of the API know, and of that what this project uses or might: an unknown field is dropped in silence. */
const KNOWN = {
  Provider: ['type', 'address', 'timeout', 'secretRef', 'certSecretRef', 'proxySecretRef', 'suspend'],
  Alert: ['providerRef', 'eventSeverity', 'eventSources', 'eventMetadata', 'inclusionList', 'exclusionList', 'suspend'],
  eventSource: ['kind', 'name', 'namespace', 'matchLabels'],
};
/** Kinds that every Alert of this API version takes: a kind it does not know makes the API server refuse it all. */
const SOURCE_KINDS = [
  'Bucket',
  'GitRepository',
  'Kustomization',
  'HelmRelease',
  'HelmChart',
  'HelmRepository',
  'OCIRepository',
];

describe('the Provider', () => {
  it('signs, and sends to the path that Lynceus listens on', () => {
    const sender = fluxSender({ sources: [{ system: 'eu', tokens: [new Secret('a-token-for-the-test')] }] });
    expect(provider).toMatchObject({ apiVersion: NOTIFICATION, kind: 'Provider', spec: { type: 'generic-hmac' } });
    expect(Object.keys(provider['spec']).filter((field) => !KNOWN.Provider.includes(field))).toEqual([]);
    expect(new URL(provider['spec'].address).pathname).toBe(sender.path);
  });

  it('has time for five attempts, after 0, 2, 6, 14 and 30 seconds', () => {
    const { timeout } = provider['spec'];
    expect(timeout).toMatch(/^([0-9]+(\.[0-9]+)?(ms|s|m))+$/);
    expect(timeout).toBe('60s');
  });

  it('finds its token in the Secret, in its own namespace', () => {
    expect(provider['spec'].secretRef).toEqual({ name: secret.metadata.name });
    expect(secret.metadata.namespace).toBe(provider.metadata.namespace);
    expect(secret['stringData']).toEqual({ token: 'REPLACE_ME' });
  });
});

describe('the Alerts', () => {
  it.each(alerts.map((alert) => [alert.metadata.name, alert] as const))('%s tell all, to that Provider', (_, alert) => {
    expect(alert).toMatchObject({ apiVersion: NOTIFICATION, kind: 'Alert' });
    expect(alert['spec'].providerRef).toEqual({ name: provider.metadata.name });
    expect(alert.metadata.namespace).toBe(provider.metadata.namespace);
    expect(alert['spec'].eventSeverity).toBe('info');
    expect(Object.keys(alert['spec']).filter((field) => !KNOWN.Alert.includes(field))).toEqual([]);
  });

  it('name consumers and their sources, each once and in a way that every version takes', () => {
    const sources = alerts.flatMap((alert) => alert['spec'].eventSources as { kind: string; name: string }[]);
    for (const source of sources) {
      expect(SOURCE_KINDS).toContain(source.kind);
      expect(source.name).toBe('*');
      expect(Object.keys(source).filter((field) => !KNOWN.eventSource.includes(field))).toEqual([]);
      expect(roleOf(source.kind)).not.toBe('other');
    }
    const kinds = sources.map(({ kind }) => kind);
    expect(kinds).toEqual([...new Set(kinds)]);
    expect(kinds).toEqual(expect.arrayContaining(['Kustomization', 'HelmRelease', 'GitRepository', 'OCIRepository']));
  });

  it('name the cluster, and nothing that Flux or the objects say themselves', () => {
    const annotated = read('labels-example.yaml').flatMap(({ metadata }) => Object.keys(metadata.annotations ?? {}));
    for (const alert of alerts) {
      const keys = Object.keys(alert['spec'].eventMetadata);
      expect(keys).toContain('cluster');
      for (const key of keys) {
        expect(['revision', 'originRevision', 'token', 'commit', 'commit_status', 'change_request']).not.toContain(key);
        expect(annotated).not.toContain(`event.toolkit.fluxcd.io/${key}`);
      }
    }
  });
});

describe('the rights', () => {
  const rules = (name: string) =>
    rbac
      .filter(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name)
      .flatMap((role) => role['rules'] as { apiGroups: string[]; resources: string[]; verbs: string[] }[]);
  const spelled = (name: string) =>
    rules(name).flatMap(({ apiGroups, resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${apiGroups.join()}`)),
    );
  const four = [
    'kustomizations.kustomize.toolkit.fluxcd.io',
    'helmreleases.helm.toolkit.fluxcd.io',
    'gitrepositories.source.toolkit.fluxcd.io',
    'ocirepositories.source.toolkit.fluxcd.io',
  ];

  it('are to read and to patch four kinds, and to read workloads: no update, no Secrets', () => {
    const reading = four.flatMap((resource) => ['get', 'list', 'watch'].map((verb) => `${verb} ${resource}`));
    const images = ['deployments.apps', 'statefulsets.apps', 'daemonsets.apps'].flatMap((resource) =>
      ['get', 'list'].map((verb) => `${verb} ${resource}`),
    );
    expect(spelled('lynceus-flux-read').sort()).toEqual([...reading, ...images].sort());
    expect(spelled('lynceus-flux-release').sort()).toEqual(four.map((resource) => `patch ${resource}`).sort());
  });

  it('are those of the account that manifests/ creates', () => {
    const bindings = rbac.filter(({ kind }) => kind === 'ClusterRoleBinding');
    expect(bindings.map((binding) => binding['roleRef'].name).sort()).toEqual(
      rbac
        .filter(({ kind }) => kind === 'ClusterRole')
        .map(({ metadata }) => metadata.name)
        .sort(),
    );
    for (const binding of bindings) {
      expect(binding['subjects']).toEqual([{ kind: 'ServiceAccount', name: 'lynceus', namespace: 'lynceus' }]);
    }
  });
});

describe('the examples of labels', () => {
  it.each(read('labels-example.yaml').map((object) => [object.kind, object] as const))(
    'a %s carries the three, and says its stage in every event',
    (kind, { apiVersion, metadata }) => {
      expect(roleOf(kind, apiVersion.split('/')[0])).toBe('consumer');
      expect(Object.keys(metadata.labels ?? {})).toEqual([
        'lynceus.dev/project',
        'lynceus.dev/stage',
        'lynceus.dev/service',
      ]);
      expect(metadata.annotations?.['event.toolkit.fluxcd.io/stage']).toBe(metadata.labels?.['lynceus.dev/stage']);
    },
  );
});

describe('the folder', () => {
  it('explains each of its files, and applies only what is complete', () => {
    const readme = readFileSync(`${FOLDER}README.md`, 'utf8');
    for (const file of yamls) expect(readme).toContain(`\`${file}\``);
    const [kustomization] = read('kustomization.yaml') as [Manifest];
    expect(kustomization['resources']).toEqual(['provider.yaml', 'alerts.yaml', 'rbac.yaml']);
  });

  it('opens Lynceus to notification-controller alone', () => {
    const [policy] = read('networkpolicy.yaml') as [Manifest];
    expect(policy['spec'].ingress).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': provider.metadata.namespace } },
            podSelector: { matchLabels: { app: 'notification-controller' } },
          },
        ],
        ports: [{ protocol: 'TCP', port: 8080 }],
      },
    ]);
  });
});
