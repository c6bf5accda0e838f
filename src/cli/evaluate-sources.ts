import { tmpdir } from 'node:os';
import type { MetricsSource } from '../adapters/metrics/metrics-source.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { parseConnections } from '../config/connections.ts';
import { type Terminal, UsageError } from './command.ts';
import { accepted, readText } from './evaluate-input.ts';
import type { EvaluateOptions } from './evaluate-options.ts';

/** The token for --url; as an option it would stand in the process list. */
const TOKEN = 'LYNCEUS_PROVIDER_TOKEN';

/** Finds a metrics source by name; without one the one that --provider names, or the first. */
export type FindSource = (name: string | undefined) => MetricsSource | undefined;

/** Where the options of a command say that metrics are. */
export type SourceOptions = Pick<EvaluateOptions, 'url' | 'provider' | 'config'>;

/** @throws {UsageError} */
export function metricsSources(terminal: Terminal, options: SourceOptions): FindSource {
  const sources = connections(terminal, options).map(answering);
  const find: FindSource = (name) => (name === undefined ? sources[0] : sources.find((one) => one.name === name));
  const { provider, url } = options;
  if (provider !== undefined && url === undefined && find(provider) === undefined) {
    const known = sources.map(({ name }) => name).join(', ');
    throw new UsageError(`--provider ${provider}: ${options.config} has the metrics sources ${known || '(none)'}`);
  }
  return (name) => find(name ?? provider);
}

function connections(terminal: Terminal, { url, provider = 'prometheus', config }: SourceOptions): MetricsSource[] {
  const tools = { addresses: 'any' as const, cacheDir: tmpdir() };
  if (config !== undefined) {
    return accepted(parseConnections(readText(terminal, config), config, terminal.sources, tools)).metrics;
  }
  if (url === undefined) return [];
  const token = terminal.env[TOKEN] ? { token: { env: TOKEN } } : {};
  const entry = { name: provider, kind: provider, url, ...token };
  const file = { apiVersion: 'lynceus.dev/v1', kind: 'Connections', metrics: [entry] };
  const parsed = parseConnections(JSON.stringify(file), '--url', terminal.sources, tools);
  if (parsed.ok) return parsed.value.metrics;
  // The place is in a document that nobody wrote.
  const [first] = parsed.problems;
  const hint = 'a source that needs more than an address stands in a file: --config';
  throw new UsageError(`--provider ${provider} --url: ${first?.path} ${first?.message} (${hint})`);
}

/** A source that cannot be asked leaves its indicators without a number; the others are judged all the same. */
function answering(source: MetricsSource): MetricsSource {
  const missing = (error: unknown) => {
    if (!(error instanceof AdapterError)) throw error;
    return { ok: false as const, missing: 'no-data' as const, message: error.message };
  };
  const { series } = source;
  return {
    kind: source.kind,
    name: source.name,
    read: (query, how) => source.read(query, how).catch(missing),
    ...(series === undefined ? {} : { series: (query, how) => series.call(source, query, how).catch(missing) }),
  };
}
