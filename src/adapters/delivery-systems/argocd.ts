import type { Readable } from 'node:stream';
import Type, { type Static } from 'typebox';
import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import type { Application, ApplicationRef } from '../../events/application.ts';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import {
  createHttpClient,
  type HttpAnswer,
  type HttpClient,
  HttpFailure,
  type HttpRequest,
  MAX_LIST_BYTES,
  path,
} from '../http-client.ts';
import { httpSettings, toClientOptions } from '../http-settings.ts';
import { carriesOurLabels, toApplication } from './argocd-application.ts';
import { argoCdDiagnosis } from './argocd-diagnosis.ts';
import { readItems } from './argocd-list.ts';
import { readResources, runAction } from './argocd-resources.ts';
import { readStream, SILENCE_MS } from './argocd-stream.ts';
import { syncBody } from './argocd-sync.ts';
import { readWindows } from './argocd-windows.ts';
import type { CallOptions, DeliverySystem } from './delivery-system.ts';

const schema = Type.Object(
  {
    ...httpSettings,
    token: SecretRef,
    namespace: Type.Optional(
      Type.String({ minLength: 1, default: 'argocd', description: 'namespace of the control plane' }),
    ),
    labelPrefix: Type.Optional(Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$', default: 'lynceus.dev' })),
    keptnLabels: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'also look after applications that carry only keptnProject, keptnService and stage',
      }),
    ),
    projects: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'only these AppProjects' })),
  },
  { additionalProperties: false },
);
type ArgoCdConfig = Static<typeof schema>;

/** A refresh waits until the controller has looked at Git; Argo CD itself sets no limit. */
const REFRESH_TIMEOUT_MS = 90_000;
/** 5,000 applications take a while to serialize. */
const LIST_TIMEOUT_MS = 60_000;
/** An application with a long history and inline values. */
const MAX_APPLICATION_BYTES = 16 * 1024 * 1024;

/** Argo CD 2.x and 3.x over the REST API of argocd-server. */
export const argocd = defineAdapter<DeliverySystem, typeof schema>({
  kind: 'argocd',
  schema,
  create: (name, config, tools) => createArgoCd(name, config, tools),
});

function createArgoCd(name: string, config: ArgoCdConfig, tools: AdapterTools): DeliverySystem {
  const client = clientFor(name, config, tools);
  const controlPlaneNamespace = config.namespace ?? 'argocd';
  const labelPrefix = config.labelPrefix ?? 'lynceus.dev';
  const context = { system: name, url: config.url, labelPrefix, controlPlaneNamespace };
  // Selectors know no "or": with Keptn's labels allowed, one list of everything is filtered here.
  const selection = {
    ...(config.keptnLabels === true ? {} : { selector: `${labelPrefix}/service` }),
    ...(config.projects === undefined ? {} : { projects: config.projects }),
  };

  async function answerTo(request: HttpRequest, project?: string): Promise<HttpAnswer<unknown>> {
    try {
      return await client.json(request);
    } catch (error) {
      throw inArgoCdsWords(error, name, project);
    }
  }

  async function ask(request: HttpRequest, project?: string): Promise<unknown> {
    return (await answerTo(request, project)).data;
  }

  /** Of thousands of applications: read as it arrives. */
  async function openList(more: Pick<HttpRequest, 'signal' | 'timeoutMs'>): Promise<Readable> {
    try {
      const path = '/api/v1/applications';
      return (await client.stream({ method: 'GET', path, query: selection, ...more })).data;
    } catch (error) {
      throw inArgoCdsWords(error, name);
    }
  }

  /** Outside the control plane's namespace, an application is found only with its own. */
  function whereabouts(ref: { namespace: string; systemProject?: string }): Record<string, string> {
    return {
      ...(ref.systemProject === undefined || ref.systemProject === '' ? {} : { project: ref.systemProject }),
      ...(ref.namespace === controlPlaneNamespace ? {} : { appNamespace: ref.namespace }),
    };
  }

  return {
    kind: 'argocd',
    name,

    async list(options = {}) {
      const found: Application[] = [];
      const limits = { timeoutMs: LIST_TIMEOUT_MS, maxBytes: MAX_LIST_BYTES, ...withSignal(options) };
      const stream = await openList({ timeoutMs: LIST_TIMEOUT_MS, ...withSignal(options) });
      for await (const item of readItems(stream, name, limits)) {
        if (carriesOurLabels(item, labelPrefix)) found.push(toApplication(item, context));
      }
      return found;
    },

    async read(ref, options = {}) {
      const answer = await ask(
        {
          method: 'GET',
          path: path`/api/v1/applications/${ref.name}`,
          query: { ...whereabouts(ref), ...(options.refresh === true ? { refresh: 'normal' } : {}) },
          maxResponseBytes: MAX_APPLICATION_BYTES,
          ...(options.refresh === true ? { timeoutMs: REFRESH_TIMEOUT_MS } : {}),
          ...withSignal(options),
        },
        ref.systemProject,
      );
      const application = toApplication(answer, context);
      if (application.ref.name === ref.name && application.ref.namespace === ref.namespace) return application;
      throw new AdapterError('bad-response', `Argo CD ${name} answered another application than ${ref.name}`);
    },

    async sync(ref, request, options = {}) {
      try {
        await ask(
          {
            method: 'POST',
            path: path`/api/v1/applications/${ref.name}/sync`,
            body: { ...syncBody(request), ...whereabouts(ref) },
            maxResponseBytes: MAX_APPLICATION_BYTES,
            ...withSignal(options),
            ...withGuard(options),
          },
          ref.systemProject,
        );
      } catch (error) {
        throw unknownOutcome(error);
      }
    },

    async terminate(ref, options = {}) {
      try {
        await ask(
          {
            method: 'DELETE',
            path: path`/api/v1/applications/${ref.name}/operation`,
            query: whereabouts(ref),
            ...withSignal(options),
            ...withGuard(options),
          },
          ref.systemProject,
        );
      } catch (error) {
        if (!saysNothingIsRunning(error)) throw error;
      }
    },

    async revisionMetadata(ref: ApplicationRef, revision: string, options = {}) {
      const answer = await ask(
        {
          method: 'GET',
          path: path`/api/v1/applications/${ref.name}/revisions/${revision}/metadata`,
          query: whereabouts(ref),
          ...withSignal(options),
        },
        ref.systemProject,
      );
      if (!isJsonObject(answer)) throw new AdapterError('bad-response', `Argo CD ${name} answered no metadata`);
      return {
        author: textOf(answer['author']),
        date: textOf(answer['date']),
        message: textOf(answer['message']),
        tags: Array.isArray(answer['tags']) ? answer['tags'].filter((tag) => typeof tag === 'string') : [],
      };
    },

    windows: (ref, options = {}) =>
      readWindows((request) => ask({ ...request, ...withSignal(options) }, ref.systemProject), ref, whereabouts(ref)),

    resources: (ref, options = {}) =>
      readResources((request) => ask({ ...request, ...withSignal(options) }, ref.systemProject), ref, whereabouts(ref)),

    act: (ref, resource, action, options = {}) =>
      runAction(
        (request) => client.json(request),
        (error) => inArgoCdsWords(error, name, ref.systemProject),
        ref,
        { resource, action, where: whereabouts(ref) },
        options,
      ),

    ...argoCdDiagnosis({
      ask: answerTo,
      itemsOf: (answer) => itemsOf(answer, name),
      token: tools.secret(config.token),
      labelPrefix,
      keptnLabels: config.keptnLabels === true,
      controlPlaneNamespace,
      ...(config.projects === undefined ? {} : { projects: config.projects }),
    }),

    async *watch({ signal }) {
      if (signal.aborted) return;
      const stream = await openStream(client, name, selection, signal);
      if (stream === undefined) return;
      for await (const frame of readStream(stream, name, signal)) {
        if ('error' in frame) throw inArgoCdsWords(streamFailure(frame.error, name), name);
        if (!carriesOurLabels(frame.application, labelPrefix)) continue;
        const application = toApplication(frame.application, context);
        yield { namespace: application.ref.namespace, name: application.ref.name, application };
      }
    },
  };
}

function clientFor(name: string, config: ArgoCdConfig, tools: AdapterTools): HttpClient {
  return createHttpClient({ ...toClientOptions(`Argo CD ${name}`, config, tools), token: tools.secret(config.token) });
}

async function openStream(
  client: HttpClient,
  name: string,
  query: Record<string, string | string[]>,
  signal: AbortSignal,
) {
  try {
    const answer = await client.stream({
      method: 'GET',
      path: '/api/v1/stream/applications',
      query,
      headers: { Accept: 'text/event-stream' },
      signal,
      // Nothing comes, not even headers, before the first application or sign of life.
      timeoutMs: SILENCE_MS,
    });
    return answer.data;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw inArgoCdsWords(error, name);
  }
}

function itemsOf(answer: unknown, name: string): unknown[] {
  const items = isJsonObject(answer) ? answer['items'] : undefined;
  // Go writes an empty list as null.
  if (items === null) return [];
  if (Array.isArray(items)) return items;
  throw new AdapterError('bad-response', `Argo CD ${name} answered no list of applications`);
}

function streamFailure(error: { code: number; status: number; message: string }, name: string): AdapterError {
  return new AdapterError('unavailable', `Argo CD ${name} ended the stream (${error.status})`, {
    cause: new HttpFailure(error.status, { code: error.code, message: error.message }),
  });
}

/** Numbers of gRPC, which Argo CD puts into every error body: https://grpc.io/docs/guides/status-codes/ */
const REASON_OF_CODE: Readonly<Record<number, FailureReason>> = {
  2: 'unavailable',
  3: 'rejected',
  4: 'timeout',
  5: 'not-found',
  6: 'conflict',
  7: 'forbidden',
  8: 'rate-limited',
  9: 'rejected',
  10: 'conflict',
  12: 'rejected',
  13: 'unavailable',
  14: 'unavailable',
  16: 'unauthenticated',
};
/** Refused because of what goes on right now; everything else under code 9 stays refused. */
const BUSY = /already in progress|is being deleted|is deleting/i;

/**
 * Argo CD's HTTP status says too little (400 is "busy" as well as "never"): its body's gRPC code and
 * words decide. The raw answer is dropped: it may repeat what we sent.
 */
function inArgoCdsWords(error: unknown, name: string, project?: string): AdapterError {
  if (!(error instanceof AdapterError)) return new AdapterError('unavailable', `Argo CD ${name} cannot be reached`);
  const failure = error.cause instanceof HttpFailure ? error.cause : undefined;
  if (failure === undefined) return error;
  const reason = reasonOf(failure) ?? error.reason;
  const words = error.message + remedyFor(failure.status, reason, project);
  return new AdapterError(reason, words, error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs });
}

function reasonOf(failure: HttpFailure): FailureReason | undefined {
  if (!isJsonObject(failure.body)) return undefined;
  const code = failure.body['code'];
  if (typeof code !== 'number') return undefined;
  const message = textOf(failure.body['message']);
  if (code === 9 && BUSY.test(message)) return 'conflict';
  if (code === 2 && /deadline exceeded/.test(message)) return 'timeout';
  // An action that the kind does not have: 500, like a passing fault, and none.
  if (code === 2 && /built-in script does not exist/.test(message)) return 'rejected';
  return REASON_OF_CODE[code];
}

function remedyFor(status: number, reason: FailureReason, project: string | undefined): string {
  if (status === 415) return ' (argocd-server must accept application/json: see its --api-content-types)';
  if (reason === 'forbidden' && project === undefined) return ' (or there is no such application)';
  return '';
}

/** Argo CD took the request, but its answer cannot be read: the sync may well have started. */
function unknownOutcome(error: unknown): unknown {
  if (!(error instanceof AdapterError) || error.reason !== 'bad-response') return error;
  return new AdapterError('unavailable', `${error.message}; whether the sync was started is unknown`);
}

function saysNothingIsRunning(error: unknown): boolean {
  return (
    error instanceof AdapterError && error.reason === 'rejected' && /No operation is in progress/i.test(error.message)
  );
}

function withSignal(options: CallOptions): Pick<HttpRequest, 'signal'> {
  return options.signal === undefined ? {} : { signal: options.signal };
}

function withGuard(options: CallOptions): Pick<HttpRequest, 'guard'> {
  return options.guard === undefined ? {} : { guard: options.guard };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
