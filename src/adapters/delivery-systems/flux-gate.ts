import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { sayRef, sourceRefOf } from './flux-kinds.ts';
import { isSuspended, pinOf } from './flux-source.ts';
import { annotationsOf, nameOf, objectsAt, partsOf, stringsAt, textAt, timeAt } from './kubernetes-object.ts';

/** How an application is held until we release it. */
export type Gate =
  /** Flux applies by itself; what is gated is the branch. */
  | { kind: 'none' }
  /** Its source fetches only what we pin it to. */
  | { kind: 'source'; source: JsonObject; problem?: string }
  /** It depends on a Kustomization that is ready only for a request of ours. */
  | { kind: 'dependency'; gate: JsonObject }
  /** A gate is asked for that holds nothing. */
  | { kind: 'broken'; problem: string };

/** What we write with a release, and know it by again after a crash. */
export interface Release {
  /** Which of the applications behind the gate it is for: `NAMESPACE/kustomization/NAME`. */
  application: string;
  /** Commit or digest. */
  revision: string;
  infos: Record<string, string>;
  /** ISO 8601. */
  at: string;
  /** Of the reconciliation that was asked for with it. */
  token: string;
  /** The pin before, or null; absent where nothing was pinned. */
  before?: string | null;
  /** When it was taken back. */
  ended?: string;
}

const MAX_RELEASE_CHARS = 16_000;

/** Objects around an application that say whether it is held. */
export interface Surroundings {
  source?: JsonObject;
  follows?: JsonObject;
  /** The Kustomization that `dependsOn` names as the gate. */
  gate?: JsonObject;
}

export function gateOf(object: JsonObject, around: Surroundings, prefix: string): Gate {
  const mode = annotationsOf(object)[`${prefix}/gate`];
  switch (mode) {
    case undefined:
      return { kind: 'none' };
    case 'source':
      return sourceGate(object, around, prefix);
    case 'dependency':
      return dependencyGate(object, around, prefix);
    default:
      return broken(`the annotation ${prefix}/gate is "${mode.slice(0, 40)}", not source or dependency`);
  }
}

function sourceGate(object: JsonObject, { source, follows }: Surroundings, prefix: string): Gate {
  if (!source) return broken('the gate needs a GitRepository or OCIRepository of its own as its source');
  const { name } = nameOf(source);
  const held = pinOf(source) !== undefined || isSuspended(source) || releaseOf(source, prefix) !== undefined;
  if (!held) return broken(`the source ${name} is neither pinned nor suspended, so it holds nothing back`);
  const wanted = annotationsOf(object)[`${prefix}/follows`];
  if (wanted === undefined) {
    const problem = `the annotation ${prefix}/follows must name the source that follows the branch`;
    return { kind: 'source', source, problem };
  }
  if (!follows) return { kind: 'source', source, problem: `${wanted.slice(0, 100)}, which it follows, is not there` };
  const [own, followed] = [source, follows].map((one) => textAt(partsOf(one).spec['url']));
  if (own === followed && source['kind'] === follows['kind']) return { kind: 'source', source };
  return { kind: 'source', source, problem: `the source ${name} has another URL than ${wanted.slice(0, 100)}` };
}

/**
 * Whether an expression opens for one request only. One that looks at our annotation alone would stay open
 * for every commit to come, and for ever after a crash.
 */
function dependencyGate(object: JsonObject, { gate }: Surroundings, prefix: string): Gate {
  const dependency = gateDependency(object, prefix);
  if (!dependency) return broken(`no entry of spec.dependsOn has a readyExpr that looks at ${prefix}/open`);
  const expression = textAt(dependency['readyExpr']) ?? '';
  if (!expression.includes('requestedAt') || !expression.includes('lastHandledReconcileAt')) {
    return broken('its readyExpr does not close again by itself: take the one of docs/flux.md');
  }
  return gate ? { kind: 'dependency', gate } : broken('the Kustomization that spec.dependsOn names is not there');
}

/** The entry of `dependsOn` that is the gate. */
export function gateDependency(object: JsonObject, prefix: string): JsonObject | undefined {
  const entries = objectsAt(partsOf(object).spec['dependsOn']);
  return entries.find((entry) => textAt(entry['readyExpr'])?.includes(`${prefix}/open`));
}

function broken(problem: string): Gate {
  return { kind: 'broken', problem };
}

/** What was released last through a gate, as its object says it. */
export function releaseOf(object: JsonObject, prefix: string): Release | undefined {
  const text = annotationsOf(object)[`${prefix}/release`];
  if (text === undefined || text.length > MAX_RELEASE_CHARS) return undefined;
  const value = parse(text);
  const [application, revision, token] = ['application', 'revision', 'token'].map((key) => textAt(value?.[key]));
  const at = timeAt(value?.['at']);
  if (!value || !application || !revision || !token || !at) return undefined;
  const before = value['before'];
  const ended = timeAt(value['ended']);
  return {
    application,
    revision,
    infos: stringsAt(value['infos']),
    at,
    token,
    ...(typeof before === 'string' || before === null ? { before } : {}),
    ...(ended === undefined ? {} : { ended }),
  };
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Why Flux does not follow what Git asks for, for people. */
export function heldBy(object: JsonObject, gate: Gate): string | undefined {
  if (isSuspended(object)) return 'suspended';
  if (gate.kind === 'dependency') return 'waits for its gate';
  if (gate.kind !== 'source') return undefined;
  const pin = pinOf(gate.source);
  return pin === undefined ? 'its source is suspended' : `pinned to ${pin.replace(/^sha256:/, '').slice(0, 8)}`;
}

/** `GitRepository checkout`, of an object's own reference to its source. */
export function saySource(object: JsonObject): string {
  const { spec } = partsOf(object);
  const ref = sourceRefOf(spec['sourceRef'] ?? spec['chartRef'], nameOf(object).namespace);
  return ref ? sayRef(ref) : 'its source';
}
