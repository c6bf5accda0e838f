import Type, { type TObject, type TSchema } from 'typebox';
import { type AdapterKind, type AdapterTools, SecretRef } from '../adapters/adapter-kind.ts';
import { type ConnectionCheck, connectionCheck, type Diagnose } from '../adapters/connection-check.ts';
import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { deliverySystemKinds } from '../adapters/delivery-systems/registry.ts';
import type { EventSink } from '../adapters/event-sinks/event-sink.ts';
import { eventSinkKinds } from '../adapters/event-sinks/registry.ts';
import type { GitHost } from '../adapters/git-hosts/git-host.ts';
import { gitHostKinds } from '../adapters/git-hosts/registry.ts';
import type { MetricsSource } from '../adapters/metrics/metrics-source.ts';
import { metricsSourceKinds } from '../adapters/metrics/registry.ts';
import type { Registry } from '../adapters/registries/image-registry.ts';
import { registryKinds } from '../adapters/registries/registry.ts';
import type { SignInProvider } from '../adapters/sign-in/sign-in-provider.ts';
import { isJsonObject } from '../base/json.ts';
import type { Rights } from '../base/rights.ts';
import type { Secret } from '../base/secret.ts';
import type { Parsed, Problem } from '../definitions/problem.ts';
import { MAX_PROBLEMS, readYaml, type YamlDocument } from '../definitions/read-yaml.ts';
import { suggest } from '../definitions/suggest.ts';
import { problemAt, quote, validator } from '../definitions/validate.ts';
import { type ForecastEntry, ForecastSection, type ForecastSettings } from './forecast.ts';
import {
  createSignIn,
  type GroupGrant,
  type PageEntry,
  PageSection,
  type SignInEntry,
  SignInSection,
  signInCheck,
  signInProblems,
} from './sign-in.ts';
import { rightsOfToken, rightsProblems, Token, type TokenEntry, tokenProblems } from './tokens.ts';
import { createVault, passwordsInUrls, type SecretSources, type Vault } from './vault.ts';

export type { SecretSources } from './vault.ts';

export interface ApiToken {
  name: string;
  token: Secret;
  groups: readonly string[];
  rights: Rights;
}

/** Everything that lynceus.yaml names, ready to use. */
export interface Connections {
  deliverySystems: { system: DeliverySystem; webhookTokens: Secret[]; watch: boolean }[];
  gitHosts: GitHost[];
  /** By the name of the Git host: the secrets of its webhooks. */
  gitWebhookTokens: ReadonlyMap<string, readonly Secret[]>;
  metrics: MetricsSource[];
  registries: Registry[];
  /** Who is told of what happens. */
  eventSinks: EventSink[];
  tokens: ApiToken[];
  forecast: ForecastSettings;
  /** How people sign in, and which roles their groups give them; absent: with tokens only. */
  signIn?: { provider: SignInProvider; grants: readonly GroupGrant[] };
  /** Origins whose pages may show ours in a frame. */
  frameAncestors: readonly string[];
  /** How each of them is looked at, in the order of the file. */
  checks: ConnectionCheck[];
  /** Every secret value, to be masked wherever it turns up. */
  secrets: string[];
}

const Name = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  description: 'a name of lower-case letters, digits and "-"',
});
const WebhookTokens = Type.Array(SecretRef, { maxItems: 2, description: 'one or, while rotating, two secrets' });

const COMMON = {
  deliverySystems: { webhookTokens: Type.Optional(WebhookTokens), watch: Type.Optional(Type.Boolean()) },
  gitHosts: { webhookTokens: Type.Optional(WebhookTokens) },
  metrics: {},
  registries: {},
  eventSinks: {},
} as const;
/** Of no server that could call us. */
const SILENT_KIND = 'local';

type Section = keyof typeof COMMON;
type Entry = { name: string; kind: string } & Record<string, unknown>;

const KINDS: Readonly<Record<Section, readonly AdapterKind<unknown>[]>> = {
  deliverySystems: deliverySystemKinds,
  gitHosts: gitHostKinds,
  metrics: metricsSourceKinds,
  registries: registryKinds,
  eventSinks: eventSinkKinds,
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
  const vault = createVault(sources);
  const problems = allProblems(document.value, vault);
  if (problems.length > 0) return { ok: false, problems };
  return create(document.value.value as Valid, vault, tools, document.value);
}

/** What is left to find out when nothing is wrong with the document: an adapter may still refuse its entry. */
type Valid = Partial<Record<Section, Entry[]>> & {
  tokens?: TokenEntry[];
  forecast?: ForecastEntry;
  signIn?: SignInEntry;
  page?: PageEntry;
};

function allProblems(document: YamlDocument, vault: Vault): Problem[] {
  const valid = validator(schemaFor(document.value) as TObject)(document);
  const problems = [
    ...kindProblems(document),
    ...(valid.ok ? [] : valid.problems),
    ...duplicateNames(document),
    ...vault.problems(document),
    ...passwordsInUrls(document),
    ...tokenProblems(document, vault),
    ...rightsProblems(document),
    ...signInProblems(document),
  ];
  return problems.sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_PROBLEMS);
}

/** An unknown kind is never guessed at: the known ones are named. */
function kindProblems(document: YamlDocument): Problem[] {
  return sections(document.value).flatMap(([section, entries]) =>
    entries.flatMap((entry, at) => {
      if (!isJsonObject(entry)) return [problemAt(document, [section, at], `must be a mapping, got ${quote(entry)}`)];
      const { kind } = entry;
      const known = KINDS[section].map((one) => one.kind);
      if (kindNamed(section, kind)) return [];
      const meant = typeof kind === 'string' ? suggest(kind, known) : undefined;
      const remedy = meant === undefined ? `known kinds: ${known.join(', ')}` : `did you mean "${meant}"?`;
      const message = kind === undefined ? `"kind" is missing, ${remedy}` : `unknown kind ${quote(kind)}, ${remedy}`;
      return [problemAt(document, [section, at, ...(kind === undefined ? [] : ['kind'])], message)];
    }),
  );
}

function kindNamed(section: Section, kind: unknown): AdapterKind<unknown> | undefined {
  return KINDS[section].find((one) => one.kind === kind);
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
    (Object.keys(KINDS) as Section[]).map((section) => [section, listSchema(section, found.get(section) ?? [])]),
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
      forecast: ForecastSection,
      signIn: SignInSection,
      page: PageSection,
    },
  } as unknown as TSchema;
}

function listSchema(section: Section, entries: readonly unknown[]): object {
  if (entries.length === 0) return { type: 'array' };
  return {
    type: 'array',
    prefixItems: entries.map((entry) =>
      entrySchema(section, kindNamed(section, (entry as Partial<Entry> | null)?.kind)),
    ),
    items: false,
    minItems: entries.length,
  };
}

/** Without a known kind nothing can be said about the rest of an entry. */
function entrySchema(section: Section, kind: AdapterKind<unknown> | undefined): object {
  if (!kind) return {};
  const shared = kind.kind === SILENT_KIND ? {} : COMMON[section];
  const common = Type.Object({ name: Name, kind: Type.Literal(kind.kind), ...shared });
  return {
    type: 'object',
    additionalProperties: false,
    properties: { ...common.properties, ...kind.schema.properties },
    required: ['name', 'kind', ...((kind.schema as { required?: string[] }).required ?? [])],
  };
}

/** Two entries of one name would answer for each other, holders of tokens with each other's rights. */
function duplicateNames(document: YamlDocument): Problem[] {
  const tokens = (document.value as { tokens?: unknown } | null)?.tokens;
  const lists: [string, unknown[]][] = [...sections(document.value), ['tokens', Array.isArray(tokens) ? tokens : []]];
  return lists.flatMap(([section, entries]) => {
    const names = entries.map((entry) => (entry as Partial<Entry> | null)?.name);
    return names.flatMap((name, at) =>
      typeof name === 'string' && names.indexOf(name) < at
        ? [
            problemAt(
              document,
              [section, at, 'name'],
              `${quote(name)} is used twice: names are unique within ${section}`,
            ),
          ]
        : [],
    );
  });
}

function create(
  value: Valid,
  vault: Vault,
  tools: Omit<AdapterTools, 'secret'>,
  document: YamlDocument,
): Parsed<Connections> {
  const problems: Problem[] = [];
  const checks: ConnectionCheck[] = [];
  const adapterTools = { ...tools, secret: vault.secret };
  const build = <Port extends { diagnose?: Diagnose }>(section: Section): { port: Port; entry: Entry }[] =>
    (value[section] ?? []).flatMap((entry, at) => {
      try {
        const port = createOne<Port>(section, entry, adapterTools);
        checks.push(connectionCheck(section, entry, port, adapterTools));
        return [{ port, entry }];
      } catch (error) {
        problems.push(problemAt(document, [section, at], error instanceof Error ? error.message : String(error)));
        return [];
      }
    });
  const deliverySystems = build<DeliverySystem>('deliverySystems').map(({ port, entry }) => ({
    system: port,
    webhookTokens: webhookTokensOf(entry, vault),
    watch: entry['watch'] === true,
  }));
  const built = build<GitHost>('gitHosts');
  const gitHosts = built.map(({ port }) => port);
  const gitWebhookTokens = new Map(built.map(({ port, entry }) => [port.name, webhookTokensOf(entry, vault)]));
  const metrics = build<MetricsSource>('metrics').map(({ port }) => port);
  const registries = build<Registry>('registries').map(({ port }) => port);
  const eventSinks = build<EventSink>('eventSinks').map(({ port }) => port);
  const tokens = (value.tokens ?? []).map((entry) => ({
    name: entry.name,
    token: vault.secret(entry.token),
    groups: entry.groups ?? [],
    rights: rightsOfToken(entry),
  }));
  const signIn = createSignIn(value.signIn, adapterTools, (message) =>
    problems.push(problemAt(document, ['signIn', 'oidc'], message)),
  );
  if (signIn) checks.push(signInCheck(signIn.provider));
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      ...{
        deliverySystems,
        gitHosts,
        gitWebhookTokens,
        metrics,
        registries,
        eventSinks,
        tokens,
        checks,
        secrets: vault.all(),
      },
      forecast: value.forecast ?? {},
      ...(signIn ? { signIn } : {}),
      frameAncestors: value.page?.frameAncestors ?? [],
    },
  };
}

function webhookTokensOf(entry: Entry, vault: Vault): Secret[] {
  return ((entry['webhookTokens'] ?? []) as SecretRef[]).map(vault.secret);
}

function createOne<Port>(section: Section, entry: Entry, tools: AdapterTools): Port {
  const kind = kindNamed(section, entry.kind) as AdapterKind<unknown>;
  const own = Object.keys(kind.schema.properties);
  const config = Object.fromEntries(Object.entries(entry).filter(([key]) => own.includes(key)));
  return kind.create(entry.name, config, tools) as Port;
}
