import type { Static, TObject } from 'typebox';
import Type from 'typebox';
import type { Secret } from '../base/secret.ts';
import type { AddressPolicy } from './addresses.ts';

/** A secret in lynceus.yaml is never written there: it names an environment variable or a file. */
export const SecretRef = Type.Union(
  [
    Type.Object({ env: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
    Type.Object({ file: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
  ],
  // Who writes the secret itself here must not find it in the log.
  { description: 'where the secret is: {env: NAME} or {file: PATH}', writeOnly: true },
);
export type SecretRef = Static<typeof SecretRef>;

/** What an adapter gets besides its own configuration. */
export interface AdapterTools {
  /** Resolves a reference; the configuration was refused before if it cannot be resolved. */
  secret(ref: SecretRef): Secret;
  /** For URLs from the operator's configuration; tests and the demo open it. */
  addresses: AddressPolicy;
  /** A folder for what may be lost: clones, caches. */
  cacheDir: string;
}

/**
 * One kind of adapter behind a port. It owns the schema of its configuration: an entry of
 * lynceus.yaml is `{name, kind, ...schema}`.
 */
export interface AdapterKind<Port, Schema extends TObject = TObject> {
  kind: string;
  schema: Schema;
  create(name: string, config: Static<Schema>, tools: AdapterTools): Port;
}

/** Declares an adapter kind with its configuration's type inferred. */
export function defineAdapter<Port, Schema extends TObject>(kind: AdapterKind<Port, Schema>): AdapterKind<Port> {
  // Sound because config/ validates an entry against `schema` before it calls `create`.
  return kind as unknown as AdapterKind<Port>;
}
