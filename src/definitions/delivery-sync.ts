import type { Static } from 'typebox';
import Type from 'typebox';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { Duration, toMs } from './quantities.ts';
import type { Path } from './read-yaml.ts';

/** How the delivery system carries out a sync, and how long it may take; what is absent is the application's own. */
export interface SyncPolicy {
  /** All of them: they replace those of the application. */
  options?: string[];
  retry?: { limit: number; backoffMs?: number; factor?: number; maxBackoffMs?: number };
  /** A sync that runs longer is ended, and has failed. */
  timeoutMs?: number;
}

/** `syncPolicy` of a stage. */
export const SyncPolicyFile = Type.Object(
  {
    options: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[A-Za-z][A-Za-z0-9]{0,99}=[^\\s,]{1,200}$',
          description: 'a sync option of Argo CD such as CreateNamespace=true',
        }),
        { maxItems: 50, uniqueItems: true },
      ),
    ),
    retry: Type.Optional(
      Type.Object(
        {
          limit: Type.Integer({ minimum: 0, maximum: 100 }),
          backoff: Type.Optional(Duration),
          factor: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
          maxBackoff: Type.Optional(Duration),
        },
        { additionalProperties: false },
      ),
    ),
    timeout: Type.Optional(Duration),
  },
  { additionalProperties: false },
);

/** For a policy that the schema has accepted. */
export function toSyncPolicy(file: Static<typeof SyncPolicyFile> | undefined): SyncPolicy | undefined {
  if (file === undefined) return undefined;
  const { options, retry, timeout } = file;
  return {
    ...(options === undefined ? {} : { options }),
    ...(retry === undefined ? {} : { retry: toRetry(retry) }),
    ...(timeout === undefined ? {} : { timeoutMs: toMs(timeout) }),
  };
}

function toRetry({ limit, backoff, factor, maxBackoff }: NonNullable<Static<typeof SyncPolicyFile>['retry']>) {
  return {
    limit,
    ...(backoff === undefined ? {} : { backoffMs: toMs(backoff) }),
    ...(factor === undefined ? {} : { factor }),
    ...(maxBackoff === undefined ? {} : { maxBackoffMs: toMs(maxBackoff) }),
  };
}

/** Options and retries travel with a sync that we ask for: elsewhere they would be ignored without a word. */
export function checkSyncPolicy(stage: JsonObject, path: Path, report: (path: Path, message: string) => void): void {
  const policy = stage['syncPolicy'];
  if (!isJsonObject(policy) || stage['sync'] === 'gated') return;
  for (const key of ['options', 'retry']) {
    if (policy[key] === undefined) continue;
    report(
      [...path, 'syncPolicy', key],
      'needs "sync: gated": with automatic sync the application\'s own syncPolicy counts',
    );
  }
}
