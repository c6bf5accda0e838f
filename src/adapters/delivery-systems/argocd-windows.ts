import { AdapterError } from '../../base/adapter-error.ts';
import type { JsonObject } from '../../base/json.ts';
import type { ApplicationRef } from '../../events/application.ts';
import type { SyncWindow, SyncWindows } from '../../events/sync-windows.ts';
import { path } from '../http-client.ts';
import type { AskArgoCd } from './argocd-resources.ts';
import { array, object, objects, text } from './go-json.ts';

const MAX_DESCRIPTION = 255;
/** Why the project may be unreadable although the application is not: then times are not known, and nothing else. */
const HIDDEN: ReadonlySet<string> = new Set(['forbidden', 'not-found', 'rejected']);

/**
 * The sync windows that concern an application. Argo CD tells which ones those are and which are on, but neither their
 * time zone nor their description: both are in the AppProject, where the token may read it.
 *
 * @throws {AdapterError} `bad-response` when it does not say whether a sync may start
 */
export async function readWindows(
  ask: AskArgoCd,
  ref: ApplicationRef,
  where: Record<string, string>,
): Promise<SyncWindows> {
  const request = { method: 'GET', path: path`/api/v1/applications/${ref.name}/syncwindows`, query: where } as const;
  const answer = object(await ask(request));
  const open = answer['canSync'];
  if (typeof open !== 'boolean') {
    throw new AdapterError('bad-response', `Argo CD ${ref.system} does not say whether ${ref.name} may be synced`);
  }
  const assigned = objects(answer['assignedWindows']);
  const known = assigned.length === 0 ? [] : await windowsOfProject(ask, ref.systemProject);
  const active = objects(answer['activeWindows']).map(identityOf);
  const windows = assigned.flatMap((window) => toWindow(window, active, candidates(known, window, ref.name)));
  return { open, windows, owner: `AppProject ${ref.systemProject}` };
}

async function windowsOfProject(ask: AskArgoCd, project: string): Promise<JsonObject[]> {
  try {
    const answer = await ask({ method: 'GET', path: path`/api/v1/projects/${project}` });
    return objects(object(object(answer)['spec'])['syncWindows']);
  } catch (error) {
    if (error instanceof AdapterError && HIDDEN.has(error.reason)) return [];
    throw error;
  }
}

/** Of a project's windows the ones that this may be: what is told of an application's window is not unique. */
function candidates(known: readonly JsonObject[], window: JsonObject, application: string): JsonObject[] {
  const same = known.filter((one) => identityOf(one) === identityOf(window));
  const fitting = same.filter((one) => mayConcern(one, application));
  return fitting.length > 0 ? fitting : same;
}

/** Windows may also be for namespaces and clusters; only what names nothing but applications can be ruled out. */
function mayConcern(window: JsonObject, application: string): boolean {
  if (array(window['namespaces']).length + array(window['clusters']).length > 0) return true;
  return array(window['applications']).some((glob) => typeof glob === 'string' && matchesGlob(glob, application));
}

function matchesGlob(glob: string, name: string): boolean {
  if (glob.length > 300) return false;
  // Anything more than wildcards is rare: then it may be this one.
  if (/[[\]{}!\\]/.test(glob)) return true;
  const parts = glob.split(/([*?])/).map((part) => {
    if (part === '*') return '.*';
    return part === '?' ? '.' : part.replaceAll(/[^\w-]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('').replaceAll(/(?:\.\*)+/g, '.*')}$`).test(name);
}

function identityOf(window: JsonObject): string {
  const { kind, schedule, duration, manualSync } = window;
  return JSON.stringify([kind ?? '', schedule ?? '', duration ?? '', manualSync === true]);
}

function toWindow(window: JsonObject, active: readonly string[], definitions: readonly JsonObject[]): SyncWindow[] {
  const kind = window['kind'];
  if (kind !== 'allow' && kind !== 'deny') return [];
  const zones = [...new Set(definitions.map((definition) => text(definition['timeZone']) ?? 'UTC'))];
  const description = text(definitions[0]?.['description'])?.slice(0, MAX_DESCRIPTION);
  return [
    {
      kind,
      schedule: text(window['schedule']) ?? '',
      duration: text(window['duration']) ?? '',
      manualSync: window['manualSync'] === true,
      active: active.includes(identityOf(window)),
      ...(zones.length === 1 && zones[0] !== undefined ? { timeZone: zones[0] } : {}),
      ...(description === undefined ? {} : { description }),
    },
  ];
}
