import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { parseConnections } from '../src/config/connections.ts';
import { parseEnvironment, SETTINGS } from '../src/config/environment.ts';
import { openApi } from '../src/http/openapi.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { openStore } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';

const folder = path.resolve(import.meta.dirname, '../manifests');
const text = (file: string) => readFileSync(path.join(folder, file), 'utf8');
const files = readdirSync(folder).sort();
type Labels = Record<string, string>;
interface Selector {
  matchLabels: Labels;
}
interface Meta {
  metadata: { name: string; namespace?: string; labels: Labels };
}
interface Probe {
  httpGet: { path: string; port: string };
}
interface Container {
  image: string;
  ports: { name: string; containerPort: number }[];
  env: { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[];
  securityContext: object;
  readinessProbe: Probe;
  livenessProbe: Probe;
  startupProbe: Probe;
  resources: { requests: object; limits: object };
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
}
interface Pod {
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  serviceAccountName: string;
  automountServiceAccountToken: boolean;
  terminationGracePeriodSeconds: number;
  securityContext: object;
  topologySpreadConstraints: { labelSelector: Selector }[];
  containers: Container[];
  volumes: { name: string; configMap?: { name: string }; emptyDir?: { sizeLimit: string } }[];
}
interface Deployment extends Meta {
  spec: {
    replicas: number;
    selector: Selector;
    strategy: { rollingUpdate: { maxUnavailable: number } };
    template: { metadata: { labels: Labels }; spec: Pod };
  };
}
interface Service extends Meta {
  spec: { selector: Labels; ports: { name: string; port: number; targetPort: string }[] };
}
interface Peer {
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except: string[] };
}
interface Port {
  protocol: string;
  port: number;
}
interface NetworkPolicy extends Meta {
  spec: {
    podSelector: Selector;
    policyTypes: string[];
    ingress: { from: Peer[]; ports: Port[] }[];
    egress: { to?: Peer[]; ports?: Port[] }[];
  };
}
interface Monitor extends Meta {
  spec: { selector: Selector; endpoints: { port: string; path: string }[] };
}
interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}
interface Kustomization {
  resources: string[];
  configMapGenerator: { name: string; files: string[] }[];
  images: { name: string; newTag: string }[];
}

const read = <T>(file: string): T => parse(text(file)) as T;

const kustomization = read<Kustomization>('kustomization.yaml');
const deployment = read<Deployment>('deployment.yaml');
const service = read<Service>('service.yaml');
const account = read<Meta & { automountServiceAccountToken: boolean }>('serviceaccount.yaml');
const budget = read<Meta & { spec: { minAvailable: number; selector: Selector } }>('poddisruptionbudget.yaml');
const secret = read<Meta & { stringData: Labels }>('secret.example.yaml');
const policy = read<NetworkPolicy>('networkpolicy.yaml');
const monitor = read<Monitor>('servicemonitor.yaml');
const groups = read<{ spec: { groups: { rules: Rule[] }[] } }>('alerts.yaml').spec.groups;
const configMap = kustomization.configMapGenerator[0]!;
const servicePort = service.spec.ports[0]!;
const pod = deployment.spec.template.spec;
const container = pod.containers[0]!;
const ownPort = container.ports[0]!;
const podLabels = deployment.spec.template.metadata.labels;
const OPTIONAL = ['alerts.yaml', 'secret.example.yaml', 'servicemonitor.yaml'];

const selects = (selector: Record<string, string>, labels: Record<string, string>) =>
  Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => labels[key] === value);

describe('the folder', () => {
  it.each(files)('%s is one valid document without a namespace of its own', (file) => {
    const documents = parseAllDocuments(text(file)) as unknown as {
      errors: Error[];
      toJS(): Meta & { apiVersion: string; kind: string };
    }[];
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect(documents).toHaveLength(1);
    const manifest = documents[0]!.toJS();
    expect(manifest.apiVersion).toMatch(/^[a-z0-9./]+$/);
    expect(manifest.kind).toMatch(/^[A-Z]/);
    expect(manifest.metadata?.namespace).toBeUndefined();
  });

  it('is applied as a whole, but for what needs values or an operator first', () => {
    const named = [...kustomization.resources, ...configMap.files];
    expect([...named, ...OPTIONAL, 'kustomization.yaml'].sort()).toEqual(files);
  });

  it('deploys the version that the package has', () => {
    const { version } = JSON.parse(readFileSync(path.join(folder, '../package.json'), 'utf8')) as { version: string };
    expect(kustomization.images).toEqual([{ name: container.image, newTag: version }]);
  });
});

describe('the names', () => {
  it('of selectors meet the labels of the pods', () => {
    const selectors = [
      deployment.spec.selector.matchLabels,
      service.spec.selector,
      budget.spec.selector.matchLabels,
      policy.spec.podSelector.matchLabels,
      ...pod.topologySpreadConstraints.map((one) => one.labelSelector.matchLabels),
    ];
    expect(selectors).toHaveLength(5);
    for (const selector of selectors) expect(selects(selector, podLabels)).toBe(true);
  });

  it('of ports lead from the monitor over the service to the port that the program listens on', () => {
    expect(selects(monitor.spec.selector.matchLabels, service.metadata.labels)).toBe(true);
    expect(monitor.spec.endpoints[0]!.port).toBe(servicePort.name);
    expect(servicePort.targetPort).toBe(ownPort.name);
    const environment = parseEnvironment({}, () => '');
    expect(environment.ok && environment.value.listen.port).toBe(ownPort.containerPort);
    for (const rule of policy.spec.ingress)
      expect(rule.ports).toEqual([{ protocol: 'TCP', port: ownPort.containerPort }]);
  });

  it('of the service are those that the notifications of Argo CD are sent to', () => {
    const notifications = readFileSync(
      path.join(folder, '../argocd-notifications/argocd-notifications-cm.yaml'),
      'utf8',
    );
    expect(notifications).toContain(`url: http://${service.metadata.name}.lynceus.svc/webhooks/argocd`);
    expect(servicePort.port).toBe(80);
  });

  it('of account, configuration, secret and volumes are there', () => {
    expect(pod.serviceAccountName).toBe(account.metadata.name);
    const volumes = Object.fromEntries(pod.volumes.map((volume) => [volume.name, volume]));
    expect(container.volumeMounts.map((mount) => mount.name).sort()).toEqual(Object.keys(volumes).sort());
    expect(volumes['config']?.configMap?.name).toBe(configMap.name);
    const refs = container.env.flatMap((one) => one.valueFrom?.secretKeyRef ?? []);
    expect(refs.length).toBeGreaterThan(0);
    for (const { name, key } of refs) {
      expect(name).toBe(secret.metadata.name);
      expect(Object.keys(secret.stringData)).toContain(key);
    }
  });

  it('of settings are known to the program, and every other variable is used by lynceus.yaml', () => {
    const names = container.env.map((one) => one.name);
    const referenced = [...text('lynceus.yaml').matchAll(/^[^#\n]*\{env: (\w+)\}/gm)].map((match) => match[1]);
    const others = names.filter((name) => !SETTINGS.some((setting) => setting.name === name));
    expect(others.sort()).toEqual([...new Set(referenced)].sort());
    const values = Object.fromEntries(container.env.map((one) => [one.name, one.value]));
    const mounts = Object.fromEntries(container.volumeMounts.map((one) => [one.name, one.mountPath]));
    expect(values['LYNCEUS_CONFIG']).toBe(`${mounts['config']}/lynceus.yaml`);
    expect(values['LYNCEUS_DATA_DIR']).toBe(mounts['data']);
  });

  it('of connections are accepted by the program', () => {
    const env = new Proxy({}, { get: (_, name) => `the secret of ${String(name)}` });
    const tools = { addresses: 'operator', cacheDir: path.join(tmpdir(), 'never-written') } as const;
    const parsed = parseConnections(text('lynceus.yaml'), 'lynceus.yaml', { env, readFile: () => '' }, tools);
    expect(parsed.ok ? [] : parsed.problems).toEqual([]);
  });
});

describe('the pods', () => {
  it('have no rights: not on the node, not in the cluster', () => {
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(account.automountServiceAccountToken).toBe(false);
    expect([pod.hostNetwork, pod.hostPID, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
  });

  it('write only to volumes of their own, and are bounded', () => {
    for (const { name, emptyDir } of pod.volumes.filter((volume) => volume.name !== 'config'))
      expect(emptyDir?.sizeLimit, name).toMatch(/^\d+[MG]i$/);
    const writable = container.volumeMounts.filter((mount) => mount.readOnly !== true);
    expect(writable.map((mount) => mount.mountPath).sort()).toEqual(['/data', '/tmp']);
    for (const kind of ['requests', 'limits'] as const)
      expect(Object.keys(container.resources[kind]).sort()).toEqual(['cpu', 'memory']);
  });

  it('are never all away: not by an update, not by a drain', () => {
    expect(deployment.spec.replicas).toBeGreaterThanOrEqual(2);
    expect(deployment.spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
    expect(budget.spec.minAvailable).toBe(1);
    expect(pod.terminationGracePeriodSeconds).toBe(30);
  });

  it('are asked at addresses that there are; only readiness depends on the store', () => {
    const probes = (['readinessProbe', 'livenessProbe', 'startupProbe'] as const).map(
      (probe) => container[probe].httpGet,
    );
    expect(probes.map((probe) => probe.path)).toEqual(['/readyz', '/healthz', '/healthz']);
    for (const probe of probes) {
      expect(Object.keys(openApi.paths)).toContain(probe.path);
      expect(probe.port).toBe(ownPort.name);
    }
    expect(Object.keys(openApi.paths)).toContain(monitor.spec.endpoints[0]!.path);
  });
});

describe('the network policy', () => {
  const { policyTypes, ingress, egress } = policy.spec;

  it('closes both directions and opens the way in only to named namespaces', () => {
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    const from = ingress.flatMap((rule) => rule.from);
    expect(from.map((one) => one.namespaceSelector?.matchLabels['kubernetes.io/metadata.name'])).toEqual([
      'argocd',
      'monitoring',
      'ingress-nginx',
    ]);
  });

  it('never lets anybody reach the metadata service of a cloud', () => {
    const blocks = egress.flatMap((rule) => (rule.to ?? []).flatMap((to) => to.ipBlock ?? []));
    expect(blocks).toHaveLength(2);
    const closed = blocks.flatMap((block) => block.except);
    expect(closed).toEqual(expect.arrayContaining(['169.254.0.0/16', 'fe80::/10']));
    const open = egress.filter((rule) => rule.to === undefined);
    expect(open.flatMap((rule) => rule.ports)).toEqual([{ protocol: 'TCP', port: 5432 }]);
  });

  it('opens the way out to names, Argo CD, Prometheus, PostgreSQL and Git', () => {
    const ports = egress.flatMap((rule) => (rule.ports ?? []).map((one) => one.port));
    expect(ports.sort((a, b) => a - b)).toEqual([53, 53, 443, 5432, 8080, 9090]);
  });
});

describe('the alert rules', () => {
  const rules = groups.flatMap((group) => group.rules);
  let data: string;
  let store: Store;
  beforeAll(async () => {
    data = mkdtempSync(path.join(tmpdir(), 'lynceus-manifests-'));
    store = await openStore({ dataDir: data });
  });
  afterAll(async () => {
    await store.close();
    rmSync(data, { recursive: true, force: true });
  });

  it('ask only for metrics that we have, by labels that they have', async () => {
    const metrics = new Map(
      (await createMetrics(store).registry.getMetricsAsJSON()).map((metric) => [metric.name, metric]),
    );
    const source = readFileSync(path.join(folder, '../src/runtime/metrics.ts'), 'utf8');
    const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/(lynceus_\w+?)(?:_bucket)?(?:\{([^}]*)\}|\[|\))/g)]);
    expect(asked.length).toBeGreaterThan(6);
    for (const [, name = '', selector = ''] of asked) {
      expect([...metrics.keys()]).toContain(name);
      const labels = new RegExp(`name: '${name}',[\\s\\S]*?labelNames: \\[(.*?)\\]`).exec(source)?.[1] ?? '';
      for (const [, label] of selector.matchAll(/(\w+)=/g)) expect(labels, name).toContain(`'${label}'`);
    }
  });

  it('say to people what is wrong and what to do', () => {
    for (const rule of rules) {
      expect(rule.labels.severity).toMatch(/^(?:warning|critical)$/);
      expect(rule.annotations.summary, rule.alert).not.toBe('');
      expect(rule.annotations.description, rule.alert).toMatch(/\.$/);
    }
  });

  const promtool = hasPromtool();
  if (!promtool && process.env['CI'] !== 'true')
    console.warn('promtool is missing: the alert rules are not checked by it');
  it.runIf(promtool || process.env['CI'] === 'true')('are accepted by promtool', () => {
    const file = path.join(data, 'rules.yaml');
    writeFileSync(file, stringify({ groups }));
    const said = execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    expect(said).toContain(`SUCCESS: ${rules.length} rules found`);
  });
});

function hasPromtool(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
