import { setTimeout as sleep } from 'node:timers/promises';
import Type, { type Static } from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { parseDuration } from '../../base/duration.ts';
import type { JsonObject } from '../../base/json.ts';
import type { ApplicationRef } from '../../events/application.ts';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import type { CallOptions, DeliverySystem, SyncRequest } from './delivery-system.ts';
import { type FluxContext, toFluxApplication } from './flux-application.ts';
import { fluxDiagnosis } from './flux-diagnosis.ts';
import { gateOf } from './flux-gate.ts';
import { fluxImages } from './flux-images.ts';
import {
  FLUX_KINDS,
  HELM_RELEASE,
  isApplicationOf,
  type ObjectRef,
  objectOfApplication,
  parseSourceName,
  REQUESTED_AT,
} from './flux-kinds.ts';
import { type Find, keyOfRef, withSurroundings } from './flux-lookup.ts';
import { type Held, type ReleaseTools, release, takeBack, withLock } from './flux-release.ts';
import { ownSourceRef } from './flux-revisions.ts';
import type { FluxObjects } from './flux-seen.ts';
import { isSuspended } from './flux-source.ts';
import { watchFlux } from './flux-watch.ts';
import { createKubernetesApi, type KubernetesApi, type ResourceKind } from './kubernetes.ts';
import { kubernetesCredentials } from './kubernetes-credentials.ts';
import { annotationsOf, nameOf, partsOf } from './kubernetes-object.ts';

const schema = Type.Object(
  {
    kubeconfig: Type.Optional(
      Type.Object(
        {
          file: Type.String({ minLength: 1, description: 'file as kubectl reads it' }),
          context: Type.Optional(Type.String({ minLength: 1, description: 'default: its current-context' })),
        },
        { additionalProperties: false, description: 'absent: the service account of the pod' },
      ),
    ),
    namespaces: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' }), {
        minItems: 1,
        maxItems: 100,
        uniqueItems: true,
        description: 'only these, sources included; default: all',
      }),
    ),
    labelPrefix: Type.Optional(Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$', default: 'lynceus.dev' })),
    timeout: Type.Optional(
      Type.String({ format: 'duration-text', default: '15s', description: 'time limit of one request, e.g. 15s' }),
    ),
  },
  { additionalProperties: false },
);
type FluxConfig = Static<typeof schema>;

/** How long a source may take to look at Git when it is asked to. */
const REFRESH_MS = 60_000;
const LOOK_MS = 250;

/** Flux 2.3 or newer, over the Kubernetes API: there is no other. */
export const flux = defineAdapter<DeliverySystem, typeof schema>({
  kind: 'flux',
  schema,
  create: (name, config, tools) => createFlux(name, config, tools),
});

function createFlux(name: string, config: FluxConfig, tools: AdapterTools): DeliverySystem {
  const api = apiFor(name, config, tools);
  const prefix = config.labelPrefix ?? 'lynceus.dev';
  const context: FluxContext = { system: name, labelPrefix: prefix };
  const namespaces: readonly (string | undefined)[] = config.namespaces ?? [undefined];
  const releaseTools: ReleaseTools = {
    api,
    prefix,
    now: () => new Date(),
    pause: (ms, signal) => pause(name, ms, signal),
  };
  const isInSight = ({ namespace }: Pick<ObjectRef, 'namespace'>) => config.namespaces?.includes(namespace) ?? true;

  async function listKind(kind: ResourceKind, options: CallOptions): Promise<JsonObject[] | undefined> {
    // Only what applies a chart is looked for by its label: any Kustomization may have applied it, or be a gate.
    const selection = kind === HELM_RELEASE ? { labelSelector: `${prefix}/service` } : {};
    const lists = await oneByOne(namespaces, (namespace) =>
      api.list(kind, { ...selection, ...(namespace === undefined ? {} : { namespace }) }, options),
    );
    if (lists.every((list) => list === undefined)) return undefined;
    // The items of a list need not say what they are.
    return lists.flatMap((list) => (list?.items ?? []).map((item) => ({ ...item, kind: kind.kind })));
  }

  function look(options: CallOptions): Find {
    return async (ref) => {
      if (!isInSight(ref)) return undefined;
      try {
        return { ...(await api.get(ref.kind, ref, options)), kind: ref.kind.kind };
      } catch (error) {
        if (error instanceof AdapterError && error.reason === 'not-found') return undefined;
        throw error;
      }
    };
  }

  async function readObjects(ref: Pick<ApplicationRef, 'namespace' | 'name'>, options: CallOptions) {
    const { kind, ...at } = objectOfApplication(name, ref);
    const object = await api.get(kind, at, options);
    return withSurroundings({ ...object, kind: kind.kind }, look(options), prefix);
  }

  function held(objects: FluxObjects): Held {
    return { objects, application: toFluxApplication(objects, context), gate: gateOf(objects.object, objects, prefix) };
  }

  return {
    kind: 'flux',
    name,

    async list(options = {}) {
      const lists = await oneByOne(FLUX_KINDS, (kind) => listKind(kind, options));
      const [kustomizations, releases] = lists;
      if (!kustomizations && !releases) {
        throw new AdapterError('not-found', `Flux ${name} is not installed: the cluster knows no Kustomizations of it`);
      }
      const all = lists.flatMap((objects) => objects ?? []);
      const find = finderOf(all);
      const labelled = all.filter((object) => isApplicationOf(object, prefix));
      return Promise.all(
        labelled.map(async (object) => toFluxApplication(await withSurroundings(object, find, prefix), context)),
      );
    },

    async read(ref, options = {}) {
      let objects = await readObjects(ref, options);
      if (options.refresh === true && (await refresh(releaseTools, objects.object, options))) {
        objects = await readObjects(ref, options);
      }
      return toFluxApplication(objects, context);
    },

    async sync(ref, request, options = {}) {
      refusePolicy(name, request);
      try {
        await release(releaseTools, held(await readObjects(ref, options)), request, options);
      } catch (error) {
        throw unknownOutcome(error);
      }
    },

    async terminate(ref, options = {}) {
      await takeBack(releaseTools, held(await readObjects(ref, options)), options);
    },

    revisionMetadata(ref, revision) {
      const words = `Flux ${name} does not tell who made ${revision.slice(0, 80)} of ${ref.name}: ask the Git host`;
      return Promise.reject(new AdapterError('rejected', words));
    },

    async images(ref, options = {}) {
      const { kind, ...at } = objectOfApplication(name, ref);
      const object = { ...(await api.get(kind, at, options)), kind: kind.kind };
      return fluxImages({ api, isInSight }, object, options);
    },

    ...fluxDiagnosis({ api, prefix, namespaces }),

    watch: ({ signal }) => watchFlux({ api, prefix, namespaces }, signal),
  };
}

function apiFor(name: string, config: FluxConfig, tools: AdapterTools): KubernetesApi {
  const timeoutMs = config.timeout === undefined ? undefined : parseDuration(config.timeout);
  return createKubernetesApi({
    name: `Flux ${name}`,
    credentials: kubernetesCredentials(`Flux ${name}`, config),
    addresses: tools.addresses,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

/** Gentle with the API server: a list is nothing that hurries. */
async function oneByOne<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (const item of items) answers.push(await ask(item));
  return answers;
}

function finderOf(all: readonly JsonObject[]): Find {
  const known = new Map(
    all.map((object) => [`${String(object['kind'])}/${nameOf(object).namespace}/${nameOf(object).name}`, object]),
  );
  return async (ref) => known.get(keyOfRef(ref));
}

/** Makes the source that follows the branch look at it; a suspended one looks at nothing. */
async function refresh(tools: ReleaseTools, object: JsonObject, options: CallOptions): Promise<boolean> {
  const follows = parseSourceName(annotationsOf(object)[`${tools.prefix}/follows`], nameOf(object).namespace);
  const ref = follows ?? ownSourceRef(object);
  if (!ref) return false;
  const source = await tools.api.get(ref.kind, ref, options);
  if (isSuspended(source)) return false;
  const token = `${tools.now().toISOString()}/lynceus`;
  const asked = { metadata: { annotations: { [REQUESTED_AT]: token } } };
  await withLock(tools, ref.kind, source, asked, options);
  for (let waited = 0; waited < REFRESH_MS; waited += LOOK_MS) {
    const now = await tools.api.get(ref.kind, ref, options);
    if (partsOf(now).status['lastHandledReconcileAt'] === token) return true;
    await tools.pause(LOOK_MS, options.signal);
  }
  throw new AdapterError(
    'timeout',
    `${ref.kind.kind} ${ref.name} did not look at its source within ${REFRESH_MS / 1000} s`,
  );
}

/** Pruning and retries are the object's own; what cannot be carried out is not passed over in silence. */
function refusePolicy(name: string, { policy }: SyncRequest): void {
  if (policy?.options === undefined && policy?.retry === undefined) return;
  const words = 'has no sync options and retries of a single sync: take syncPolicy.options and .retry out of the stage';
  throw new AdapterError('rejected', `Flux ${name} ${words}`);
}

/** An answer that cannot be read may have been a yes. */
function unknownOutcome(error: unknown): unknown {
  if (!(error instanceof AdapterError) || error.reason !== 'bad-response') return error;
  return new AdapterError('unavailable', `${error.message}; whether it was released is unknown`);
}

async function pause(name: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new AdapterError('cancelled', `Flux ${name}: given up while waiting`);
  }
}
