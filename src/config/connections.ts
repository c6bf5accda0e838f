import Type, { type Static, type TObject, type TSchema } from 'typebox';
import { type AdapterKind, type AdapterTools, SecretRef } from '../adapters/adapter-kind.ts';
import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { deliverySystemKinds } from '../adapters/delivery-systems/registry.ts';
import type { GitHost } from '../adapters/git-hosts/git-host.ts';
import { gitHostKinds } from '../adapters/git-hosts/registry.ts';
import type { MetricsSource } from '../adapters/metrics/metrics-source.ts';
import { metricsSourceKinds } from '../adapters/metrics/registry.ts';
import { Secret } from '../base/secret.ts';
import type { Parsed, Problem } from '../definitions/problem.ts';
import { readYaml, type YamlDocument } from '../definitions/read-yaml.ts';
import { suggest } from '../definitions/suggest.ts';
import { problemAt, validator } from '../definitions/validate.ts';

/** What a token allows: `report` sends events, `decide` approves, rejects, pauses and aborts. */
export type Permission = 'report' | 'decide' | 'read';

export interface ApiToken {
  name: string;
  token: Secret;
  groups: readonly string[];
  may: readonly Permission[];
}

/** Everything that lynceus.yaml names, ready to use. */
export interface Connections {
  deliverySystems: { system: DeliverySystem; webhookTokens: Secret[]; watch: boolean }[];
  gitHosts: GitHost[];
  metrics: MetricsSource[];
  tokens: ApiToken[];
  /** Every secret value, to be masked wherever it turns up. */
  secrets: string[];
}

export interface SecretSources {
  env: Readonly<Record<string, string | undefined>>;
  readFile: (path: string) => string;
}

const Name = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  description: 'a name of lower-case letters, digits and "-"',
});
const WebhookTokens = Type.Array(SecretRef, { maxItems: 2, description: 'one or, while rotating, two secrets' });

const COMMON = {
  deliverySystems: { webhookTokens: Type.Optional(WebhookTokens), watch: Type.Optional(Type.Boolean()) },
  gitHosts: {},
  metrics: {},
} as const;

const Token = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100, description: 'who acts with it, as the log will say' }),
    token: SecretRef,
    groups: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { description: 'groups whose approvals it gives' }),
    ),
    may: Type.Optional(Type.Array(Type.Union([Type.Literal('report'), Type.Literal('decide'), Type.Literal('read')]))),
  },
  { additionalProperties: false },
);

type TokenEntry = Static<typeof Token>;
type Section = keyof typeof COMMON;
type Entry = { name: string; kind: string } & Record<string, unknown>;

const KINDS: Readonly<Record<Section, readonly AdapterKind<unknown>[]>> = {
  deliverySystems: deliverySystemKinds,
  gitHosts: gitHostKinds,
  metrics: metricsSourceKinds,
};

/** Reads lynceus.yaml: every problem at once, each with its place; nothing is half configured. */
export function parseConnections(
  text: string,
  file: string,
  sources: SecretSources,
  tools: Omit<AdapterTools, 'secret'>,
): Parsed<Connections> {
  const document = readYaml(text, file);
  if (!document.ok) return document;
  const kinds = kindProblems(document.value);
  if (kinds.length > 0) return { ok: false, problems: kinds };
  const valid = validator(schemaFor(document.value.value) as TObject)(document.value);
  if (!valid.ok) return valid;
  const value = valid.value as unknown as Partial<Record<Section, Entry[]>> & {
    tokens?: TokenEntry[];
  };
  const vault = createVault(sources);
  const problems = [...duplicateNames(document.value), ...vault.check(document.value)];
  if (problems.length > 0) return { ok: false, problems };
  return create(value, vault, tools, document.value);
}

/** An unknown kind is never guessed at: the known ones are named. */
function kindProblems(document: YamlDocument): Problem[] {
  return sections(document.value).flatMap(([section, entries]) =>
    entries.flatMap((entry, at) => {
      const kind = (entry as Partial<Entry> | null)?.kind;
      const known = KINDS[section].map((one) => one.kind);
      if (typeof kind === 'string' && known.includes(kind)) return [];
      const meant = typeof kind === 'string' ? suggest(kind, known) : undefined;
      const remedy = meant === undefined ? `known kinds: ${known.join(', ')}` : `did you mean "${meant}"?`;
      const message =
        kind === undefined ? `"kind" is missing (${remedy})` : `unknown kind ${JSON.stringify(kind)}, ${remedy}`;
      return [problemAt(document, [section, at, ...(kind === undefined ? [] : ['kind'])], message)];
    }),
  );
}

function sections(value: unknown): [Section, unknown[]][] {
  const all = Object.keys(KINDS) as Section[];
  return all.flatMap((section) => {
    const entries = (value as Record<string, unknown> | null)?.[section];
    return Array.isArray(entries) ? [[section, entries] as [Section, unknown[]]] : [];
  });
}

/** The schema of this very document: each entry is held to the schema of the kind that it names. */
function schemaFor(value: unknown): TSchema {
  const found = new Map(sections(value));
  const properties = Object.fromEntries(
    (Object.keys(KINDS) as Section[]).map((section) => [
      section,
      listSchema(section, (found.get(section) ?? []) as Entry[]),
    ]),
  );
  return {
    type: 'object',
    required: ['apiVersion', 'kind'],
    additionalProperties: false,
    properties: {
      apiVersion: { const: 'lynceus.dev/v1' },
      kind: { const: 'Connections' },
      ...properties,
      tokens: { type: 'array', items: Token, maxItems: 1000 },
    },
  } as unknown as TSchema;
}

function listSchema(section: Section, entries: readonly Entry[]): object {
  if (entries.length === 0) return { type: 'array' };
  return {
    type: 'array',
    prefixItems: entries.map((entry) => entrySchema(section, entry.kind)),
    items: false,
    minItems: entries.length,
  };
}

function entrySchema(section: Section, kind: string): object {
  const { schema } = KINDS[section].find((one) => one.kind === kind) as AdapterKind<unknown>;
  const common = Type.Object({ name: Name, kind: Type.Literal(kind), ...COMMON[section] });
  return {
    type: 'object',
    additionalProperties: false,
    properties: { ...common.properties, ...schema.properties },
    required: ['name', 'kind', ...((schema as { required?: string[] }).required ?? [])],
  };
}

function duplicateNames(document: YamlDocument): Problem[] {
  return sections(document.value).flatMap(([section, entries]) => {
    const names = (entries as Entry[]).map(({ name }) => name);
    return names.flatMap((name, at) =>
      names.indexOf(name) < at
        ? [problemAt(document, [section, at, 'name'], `"${name}" is used twice: names are unique within ${section}`)]
        : [],
    );
  });
}

const EVERYTHING: readonly Permission[] = ['read', 'decide', 'report'];

/** Resolves secret references, and remembers their values so that they can be masked. */
function createVault({ env, readFile }: SecretSources) {
  const values = new Map<string, string>();
  const look = (ref: SecretRef): string => {
    const value = 'env' in ref ? env[ref.env] : readFile(ref.file);
    // A trailing newline, as editors and `echo` leave it, is never part of a token.
    const trimmed = value?.replace(/\s+$/, '') ?? '';
    if (trimmed === '')
      throw new Error('env' in ref ? `the environment variable ${ref.env} is not set` : `${ref.file} is empty`);
    return trimmed;
  };
  return {
    secret(ref: SecretRef): Secret {
      const value = look(ref);
      values.set(value, value);
      return new Secret(value);
    },
    all: () => [...values.keys()],
    check(document: YamlDocument): Problem[] {
      return references(document.value, []).flatMap(({ ref, path }) => {
        try {
          look(ref);
          return [];
        } catch (error) {
          const message =
            error instanceof Error && /is (not set|empty)/.test(error.message)
              ? error.message
              : `${'file' in ref ? ref.file : ''} cannot be read`;
          return [problemAt(document, path, message)];
        }
      });
    },
  };
}

function references(value: unknown, path: (string | number)[]): { ref: SecretRef; path: (string | number)[] }[] {
  if (Array.isArray(value)) return value.flatMap((item, at) => references(item, [...path, at]));
  if (typeof value !== 'object' || value === null) return [];
  const keys = Object.keys(value);
  if (keys.length === 1 && (keys[0] === 'env' || keys[0] === 'file')) return [{ ref: value as SecretRef, path }];
  return Object.entries(value).flatMap(([key, item]) => references(item, [...path, key]));
}

function create(
  value: Partial<Record<Section, Entry[]>> & { tokens?: TokenEntry[] },
  vault: ReturnType<typeof createVault>,
  tools: Omit<AdapterTools, 'secret'>,
  document: YamlDocument,
): Parsed<Connections> {
  const problems: Problem[] = [];
  const build = <Port>(section: Section): { port: Port; entry: Entry }[] =>
    (value[section] ?? []).flatMap((entry, at) => {
      try {
        return [{ port: createOne<Port>(section, entry, { ...tools, secret: vault.secret }), entry }];
      } catch (error) {
        problems.push(problemAt(document, [section, at], error instanceof Error ? error.message : String(error)));
        return [];
      }
    });
  const deliverySystems = build<DeliverySystem>('deliverySystems').map(({ port, entry }) => ({
    system: port,
    webhookTokens: ((entry['webhookTokens'] ?? []) as SecretRef[]).map(vault.secret),
    watch: entry['watch'] === true,
  }));
  const gitHosts = build<GitHost>('gitHosts').map(({ port }) => port);
  const metrics = build<MetricsSource>('metrics').map(({ port }) => port);
  const tokens = (value.tokens ?? []).map(({ name, token, groups, may }) => ({
    name,
    token: vault.secret(token),
    groups: groups ?? [],
    may: may ?? EVERYTHING,
  }));
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: { deliverySystems, gitHosts, metrics, tokens, secrets: vault.all() } };
}

function createOne<Port>(section: Section, entry: Entry, tools: AdapterTools): Port {
  const kind = KINDS[section].find((one) => one.kind === entry.kind) as AdapterKind<unknown>;
  const own = Object.keys(kind.schema.properties);
  const config = Object.fromEntries(Object.entries(entry).filter(([key]) => own.includes(key)));
  return kind.create(entry.name, config, tools) as Port;
}
