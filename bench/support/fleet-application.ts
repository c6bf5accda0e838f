import type { ApplicationObject } from '../../examples/sandbox/argocd/resources.ts';

export interface FleetApplication {
  /** From 0. */
  at: number;
  repoUrl: string;
  revision: string;
  /** When it was last deployed. */
  deployedAt: Date;
}

const HISTORY = 10;
const RESOURCES = 25;

/** An Application of a usual size (about 16 kB): 25 resources, ten deployments to look back on, nothing going on. */
export function fleetApplication({ at, repoUrl, revision, deployedAt }: FleetApplication): ApplicationObject {
  const name = `service-${at}`;
  const source = { repoURL: repoUrl, path: '.', targetRevision: 'main' };
  const destination = { server: 'https://kubernetes.default.svc', namespace: name };
  const [started, ended] = [-20_000, 0].map((ms) => seconds(new Date(deployedAt.getTime() + ms)));
  const past = (age: number) => seconds(new Date(deployedAt.getTime() - age * 86_400_000));
  const automated = { prune: true, selfHeal: true };
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name,
      namespace: 'argocd',
      uid: uidOf(at),
      resourceVersion: String(deployedAt.getTime() + at),
      generation: 1,
      creationTimestamp: past(100),
      labels: {
        'lynceus.dev/project': 'shop',
        'lynceus.dev/stage': 'production',
        'lynceus.dev/service': name,
        'app.kubernetes.io/part-of': `team-${at % 50}`,
      },
      annotations: { 'argocd.argoproj.io/manifest-generate-paths': '.' },
    },
    spec: { project: 'default', source, destination, syncPolicy: { automated } },
    status: {
      sync: { status: 'Synced', revision, comparedTo: { source, destination } },
      health: { status: 'Healthy', lastTransitionTime: past(50) },
      operationState: {
        operation: {
          sync: { revision, source, prune: true, syncStrategy: { hook: {} } },
          initiatedBy: { automated: true },
          retry: { limit: 5 },
        },
        phase: 'Succeeded',
        message: 'successfully synced (all tasks run)',
        startedAt: started ?? '',
        finishedAt: ended ?? '',
        syncResult: { revision, source, ...{ resources: resources(name, synced) } },
      },
      history: Array.from({ length: HISTORY }, (_, id) => ({
        id,
        revision: id === HISTORY - 1 ? revision : revisionOf(at * 100 + id),
        source,
        deployStartedAt: id === HISTORY - 1 ? (started ?? '') : past(HISTORY - id),
        deployedAt: id === HISTORY - 1 ? (ended ?? '') : past(HISTORY - id),
        initiatedBy: { automated: true },
      })),
      reconciledAt: ended ?? '',
      sourceType: 'Kustomize',
      summary: { images: [`registry.example.com/${name}:1.0.0`], externalURLs: [`https://${name}.example.com`] },
      resourceHealthSource: 'appTree',
      controllerNamespace: 'argocd',
      ...{ resources: resources(name, live) },
    },
  };
}

/** Some commit of the past. */
function revisionOf(number: number): string {
  return `5f1c9b2ae7d04413${number.toString(16).padStart(24, '0')}`;
}

function uidOf(at: number): string {
  return `3f0c5a1e-6f0b-4b52-9f0e-${at.toString(16).padStart(12, '0')}`;
}

function resources(name: string, say: (one: object) => object): object[] {
  return Array.from({ length: RESOURCES }, (_, at) =>
    say({ group: 'apps', version: 'v1', kind: 'Deployment', namespace: name, name: `${name}-worker-${at}` }),
  );
}

function live(one: object): object {
  return { ...one, status: 'Synced', health: { status: 'Healthy' }, syncWave: 1 };
}

function synced(one: object): object {
  const message = `deployment.apps/worker configured. Warning: resource deployments/worker is missing an annotation`;
  return { ...one, status: 'Synced', message, hookPhase: 'Running', syncPhase: 'Sync' };
}

function seconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
