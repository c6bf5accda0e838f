import { isJsonObject, type JsonObject } from '../../../base/json.ts';
import { parseAutocannon } from './autocannon.ts';
import { parseGrype } from './grype.ts';
import { parseJmeter } from './jmeter.ts';
import { parseJunit } from './junit.ts';
import { parseK6 } from './k6.ts';
import { badReport, type Report } from './report.ts';
import { parseSarif } from './sarif.ts';
import { parseTrivy } from './trivy.ts';

export const TEST_REPORT_FORMATS = ['k6', 'jmeter', 'junit', 'autocannon'] as const;
export const VULNERABILITY_REPORT_FORMATS = ['trivy', 'grype', 'sarif'] as const;
export type ReportFormat = (typeof TEST_REPORT_FORMATS)[number] | (typeof VULNERABILITY_REPORT_FORMATS)[number];

/** Reading takes a moment in which nothing else happens: about a second for this much. */
export const MAX_REPORT_BYTES = 32 * 1024 * 1024;

const JSON_FORMATS = {
  k6: parseK6,
  autocannon: parseAutocannon,
  trivy: parseTrivy,
  grype: parseGrype,
  sarif: parseSarif,
};

/**
 * Reads a report; `auto` finds out which of the known formats it has.
 *
 * @throws {AdapterError} `bad-response`: not of that format, cut off, or about nothing
 */
export function parseReport(format: ReportFormat | 'auto', text: string): Report {
  if (text.length > MAX_REPORT_BYTES) throw badReport(format, `is larger than ${MAX_REPORT_BYTES / 1024 / 1024} MiB`);
  if (format === 'junit' || (format === 'auto' && /^\ufeff?\s*</.test(text))) return parseJunit(text);
  if (format === 'jmeter' || (format === 'auto' && isJmeter(text))) return parseJmeter(text);
  const document = parseJson(format, text);
  return JSON_FORMATS[format === 'auto' ? formatOf(document) : format](document);
}

/** The numbers of a report by name, as `parseReport` reads them. */
export function readReport(format: ReportFormat | 'auto', text: string): Record<string, number> {
  return parseReport(format, text).figures;
}

/**
 * One figure of a report: a name, `p95` for `response_time_p95`, or a sum such as `critical+high` and
 * `fixable critical+high`. `undefined`: the report does not have it.
 */
export function figureOf(figures: Readonly<Record<string, number>>, name: string): number | undefined {
  const known = (one: string) => (Object.hasOwn(figures, one) ? figures[one] : undefined);
  const whole = known(name) ?? known(`response_time_${name}`);
  if (whole !== undefined || !name.includes('+')) return whole;
  const [, prefix = '', sum = ''] = /^(fixable\s+)?(.*)$/s.exec(name) ?? [];
  const parts = sum.split('+').map((part) => known(`${prefix === '' ? '' : 'fixable '}${part.trim()}`));
  return parts.reduce((total, part) => (total === undefined || part === undefined ? undefined : total + part), 0);
}

function isJmeter(text: string): boolean {
  const header = text.slice(0, 2000).split(/\r?\n/, 1)[0] ?? '';
  return /\belapsed\b/.test(header) && /\bsuccess\b/.test(header) && !/^\ufeff?\s*[{[]/.test(header);
}

function parseJson(format: string, text: string): JsonObject {
  const document = tryJson(text.startsWith('\ufeff') ? text.slice(1) : text);
  if (isJsonObject(document)) return document;
  const what = document === undefined ? 'is not JSON, or is cut off' : 'is not a JSON object';
  throw format === 'auto' ? unknownFormat() : badReport(format, what);
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** By members that no other format has. */
function formatOf(document: JsonObject): keyof typeof JSON_FORMATS {
  const has = (...keys: string[]) => keys.every((key) => key in document);
  if (has('SchemaVersion', 'ArtifactName')) return 'trivy';
  if (has('matches', 'source')) return 'grype';
  if (has('runs', 'version')) return 'sarif';
  const results = document['results'];
  if (isJsonObject(document['metrics']) || (isJsonObject(results) && Array.isArray(results['metrics']))) return 'k6';
  if (has('latency', 'requests', 'non2xx')) return 'autocannon';
  throw unknownFormat();
}

function unknownFormat(): Error {
  const known = [...TEST_REPORT_FORMATS, ...VULNERABILITY_REPORT_FORMATS].join(', ');
  return badReport('given', `is cut off, or has a format that is not known: ${known} are`);
}
