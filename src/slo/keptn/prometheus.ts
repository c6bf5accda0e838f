/** What Keptn's prometheus-service knows when it asks for one indicator. */
export interface KeptnQueryInput {
  project: string;
  stage: string;
  service: string;
  /** `primary`, `canary`; a label `deployment` comes first. */
  deployment?: string;
  labels: Readonly<Record<string, string>>;
  customFilters: readonly { key: string; value: string }[];
  /** Queries by indicator, of sli.yaml. */
  indicators: Readonly<Record<string, string>>;
  metric: string;
  start: string;
  end: string;
}

/** `time` is when the query is asked, in seconds since 1970. */
export type KeptnQuery = { ok: true; query: string; time: number } | { ok: false; error: string };

/**
 * The query that Keptn's prometheus-service asks. Placeholders are replaced as plain text, filters
 * first, without word boundaries and without escaping: a value can change the query. Only for
 * `compatibility: keptn`.
 */
export function keptnPrometheusQuery(input: KeptnQueryInput): KeptnQuery {
  const [start, end] = [parseTimestamp(input.start), parseTimestamp(input.end)];
  if (start === undefined) return { ok: false, error: `unable to parse start timestamp: ${sayBadTime(input.start)}` };
  if (end === undefined) return { ok: false, error: `unable to parse end timestamp: ${sayBadTime(input.end)}` };
  const own = input.indicators[input.metric];
  const duration = `${Math.ceil((end - start) / 1000)}s`;
  const query = own === undefined ? builtIn(input, duration) : keptnSubstitute(own, input, duration);
  if (query === undefined) return { ok: false, error: 'unsupported SLI' };
  return { ok: true, query, time: Math.floor(end / 1000) };
}

/** Puts values into a query as Keptn does. @param duration with its unit, such as `300s` */
export function keptnSubstitute(
  query: string,
  {
    project,
    stage,
    service,
    deployment,
    labels,
    customFilters,
  }: Omit<KeptnQueryInput, 'indicators' | 'metric' | 'start' | 'end'>,
  duration: string,
): string {
  const pairs: [string, string][] = [
    ...customFilters.flatMap(({ key, value }): [string, string][] => [
      [key, withoutQuotes(value)],
      [key.toUpperCase(), withoutQuotes(value)],
    ]),
    ['PROJECT', project],
    ['STAGE', stage],
    ['SERVICE', service],
    ['DEPLOYMENT', labels['deployment'] ?? deployment ?? 'primary'],
    ...Object.entries(labels).map(([key, value]): [string, string] => [`LABEL.${key}`, value]),
    ['DURATION_SECONDS', duration],
  ];
  // Not by a pattern: `$&` in a value would mean something there.
  return pairs.reduce((text, [name, value]) => text.split(`$${name}`).join(value), query);
}

function builtIn(input: KeptnQueryInput, duration: string): string | undefined {
  const filter = filterExpression(input);
  const quantile = { response_time_p50: '0.50', response_time_p90: '0.90', response_time_p95: '0.95' }[input.metric];
  if (quantile !== undefined) {
    return `histogram_quantile(${quantile},sum(rate(http_response_time_milliseconds_bucket{${filter}}[${duration}]))by(le))`;
  }
  const throughput = `sum(rate(http_requests_total{${filter}}[${duration}]))`;
  if (input.metric === 'throughput') return throughput;
  if (input.metric !== 'error_rate') return undefined;
  return `sum(rate(http_requests_total{${filter},status!~'2..'}[${duration}]))/${throughput}`;
}

function filterExpression({ project, stage, service, customFilters }: KeptnQueryInput): string {
  const given = customFilters.map(({ key, value }) =>
    /^(?:=|!=|!~)/.test(value) ? `${key}${value.replaceAll('"', "'")}` : `${key}='${withoutQuotes(value)}'`,
  );
  const hasJob = customFilters.some(({ key }) => key === 'job');
  return (hasJob ? given : [`job='${service}-${project}-${stage}-canary'`, ...given]).join(',');
}

function withoutQuotes(text: string): string {
  return text.replace(/['"]/g, '');
}

/** Milliseconds of an RFC 3339 time, or of whole seconds since 1970. */
function parseTimestamp(text: string): number | undefined {
  if (/^[+-]?\d+$/.test(text)) return Number(text) * 1000;
  const ms = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function sayBadTime(text: string): string {
  return `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`;
}

export type KeptnSample = { success: true; value: number } | { success: false; message: string };

/** What an instant vector comes down to: exactly one value that is a number. */
export function keptnSample(vector: readonly (number | string)[]): KeptnSample {
  const [first] = vector;
  if (first === undefined) return { success: false, message: 'query did not return any values' };
  if (vector.length > 1) return { success: false, message: 'query did return multiple values' };
  const value = Number(first);
  return Number.isNaN(value)
    ? { success: false, message: 'query did not return valid values' }
    : { success: true, value };
}

/** The verdict of get-sli.finished over its values. */
export function keptnSliResult(succeeded: readonly boolean[]): {
  status: 'succeeded';
  result: 'pass' | 'warning' | 'fail';
  message: string;
} {
  const result = succeeded.every(Boolean) ? 'pass' : succeeded.some(Boolean) ? 'warning' : 'fail';
  return { status: 'succeeded', result, message: result === 'fail' ? 'unable to retrieve metrics' : '' };
}
