import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { ErrorBudgetTarget } from '../slo/budget-queries.ts';
import type { Parsed, Problem } from './problem.ts';
import { durationMs } from './quantities.ts';
import { type Path, readYamlDocuments, type YamlDocument } from './read-yaml.ts';
import { problemAt, quote } from './validate.ts';

const MAX_QUERY = 10_000;
/** `http_requests_total{code=~"5.."}`: a plain selector, to which a range can be put. */
const SELECTOR = /^[A-Za-z_:][A-Za-z0-9_:]*\s*(?:\{[^{}]*\})?$/;
/** Written by Sloth and its users for the range of a query. */
const SLOTH_WINDOW = /\{\{\s*\.window\s*\}\}/g;

/** A value with its place, so that every refusal can say where. */
interface Spot {
  document: YamlDocument;
  path: Path;
  value: unknown;
}

type Report = (spot: Spot, message: string, key?: string) => void;

/**
 * Reads what an error budget needs from an OpenSLO v1 file: one SLO with a ratioMetric of Prometheus
 * queries, a rolling window and one objective, budgeted by occurrences. Everything else that OpenSLO
 * can say is refused by name rather than approximated. A file may hold several documents or a list;
 * the SLI may be a document of its own. Never throws.
 *
 * Queries contain `$WINDOW` (or Sloth's `{{.window}}`) where the range goes, because a budget is asked
 * for several ranges; with `counter: true` a plain selector is enough and becomes
 * `sum(increase(selector[$WINDOW]))`.
 */
export function parseOpenSlo(text: string, file: string): Parsed<ErrorBudgetTarget> {
  const documents = readYamlDocuments(text, file);
  if (!documents.ok) return documents;
  const problems: Problem[] = [];
  const report: Report = (spot, message, key) => problems.push(problemAt(spot.document, spot.path, message, key));
  const specs = documents.value.flatMap(toSpots);
  const slo = findSlo(specs, file, problems, report);
  const target = slo === undefined ? undefined : toTarget(slo, specs, report);
  if (target !== undefined && problems.length === 0) return { ok: true, value: target };
  return { ok: false, problems };
}

function toSpots(document: YamlDocument): Spot[] {
  const value = document.value;
  if (Array.isArray(value)) return value.map((item, index) => ({ document, path: [index], value: item }));
  return value === null || value === undefined ? [] : [{ document, path: [], value }];
}

function findSlo(spots: readonly Spot[], file: string, problems: Problem[], report: Report): Spot | undefined {
  for (const spot of spots.filter((each) => !isOpenSlo(each))) {
    report(spot, 'is not an OpenSLO document: it needs apiVersion openslo/v1 and a kind');
  }
  const [slo, second] = spots.filter((spot) => isOpenSlo(spot) && at(spot, 'kind').value === 'SLO');
  if (second !== undefined)
    report(second, 'is a second SLO: a budget has exactly one, move the others to their own files');
  if (slo === undefined && problems.length === 0) {
    problems.push({ file, line: 1, column: 1, path: '', message: 'holds no document of kind SLO' });
  }
  return slo;
}

function isOpenSlo(spot: Spot): boolean {
  return at(spot, 'apiVersion').value === 'openslo/v1' && typeof at(spot, 'kind').value === 'string';
}

function toTarget(slo: Spot, spots: readonly Spot[], report: Report): ErrorBudgetTarget | undefined {
  const spec = at(slo, 'spec');
  checkMethod(at(spec, 'budgetingMethod'), report);
  const windowMs = readWindow(at(spec, 'timeWindow'), report);
  const target = readTarget(at(spec, 'objectives'), report);
  const errorRatio = readIndicator(spec, spots, report);
  if (windowMs === undefined || target === undefined || errorRatio === undefined) return undefined;
  return { errorRatio, target, windowMs, method: 'occurrences' };
}

function checkMethod(method: Spot, report: Report): void {
  if (method.value === 'Occurrences') return;
  if (method.value === 'Timeslices' || method.value === 'RatioTimeslices') {
    report(method, `${method.value} is not yet supported: use Occurrences`);
  } else report(method, `budgetingMethod must be Occurrences, got ${quote(method.value)}`);
}

function readWindow(windows: Spot, report: Report): number | undefined {
  const entries = Array.isArray(windows.value) ? windows.value : [];
  if (entries.length !== 1) {
    report(windows, 'timeWindow must be a list of exactly one window');
    return undefined;
  }
  const window = at(windows, 0);
  if (at(window, 'isRolling').value !== true || at(window, 'calendar').value !== undefined) {
    report(window, 'calendar windows are not yet supported: write isRolling: true without "calendar"');
    return undefined;
  }
  const text = at(window, 'duration').value;
  // In OpenSLO `M` is a month, `Q` a quarter and `Y` a year; none of them is a fixed span.
  const ms = typeof text === 'string' ? durationMs(text) : undefined;
  if (ms === undefined) report(at(window, 'duration'), `${quote(text)} is not a duration such as 30d, 4w or 12h`);
  return ms;
}

function readTarget(objectives: Spot, report: Report): number | undefined {
  const entries = Array.isArray(objectives.value) ? objectives.value : [];
  if (entries.length !== 1) {
    report(objectives, `objectives must be a list of exactly one objective, got ${entries.length}`);
    return undefined;
  }
  const objective = at(objectives, 0);
  for (const key of ['indicator', 'indicatorRef', 'compositeWeight']) {
    if (at(objective, key).value !== undefined)
      report(objective, `composite SLOs ("${key}") are not yet supported`, key);
  }
  const [target, percent] = [at(objective, 'target'), at(objective, 'targetPercent')];
  if ((target.value === undefined) === (percent.value === undefined)) {
    report(objective, 'needs one of "target" (such as 0.999) and "targetPercent" (such as 99.9)');
    return undefined;
  }
  const written = target.value === undefined ? percent : target;
  const scale = target.value === undefined ? 100 : 1;
  const value = typeof written.value === 'number' ? Number((written.value / scale).toPrecision(15)) : Number.NaN;
  if (value > 0 && value < 1) return value;
  report(written, `must be above 0 and below ${scale}, got ${quote(written.value)}`);
  return undefined;
}

function readIndicator(spec: Spot, spots: readonly Spot[], report: Report): string | undefined {
  const indicator = findIndicator(spec, spots, report);
  if (indicator === undefined) return undefined;
  if (at(indicator, 'thresholdMetric').value !== undefined) {
    report(indicator, 'thresholdMetric is not yet supported: use ratioMetric', 'thresholdMetric');
    return undefined;
  }
  const ratio = at(indicator, 'ratioMetric');
  if (!isJsonObject(ratio.value)) {
    report(indicator, 'needs a "ratioMetric" with good (or bad) and total, or raw');
    return undefined;
  }
  return readRatio(ratio, ratio.value, report);
}

function findIndicator(spec: Spot, spots: readonly Spot[], report: Report): Spot | undefined {
  const inline = at(spec, 'indicator');
  const ref = at(spec, 'indicatorRef');
  if (inline.value !== undefined) return at(inline, 'spec');
  const sli = spots.find(
    (spot) => at(spot, 'kind').value === 'SLI' && at(at(spot, 'metadata'), 'name').value === ref.value,
  );
  if (ref.value !== undefined && sli !== undefined) return at(sli, 'spec');
  if (ref.value !== undefined) report(ref, `there is no SLI ${quote(ref.value)} in this file: add it after a "---"`);
  else report(spec, 'needs an "indicator"');
  return undefined;
}

function readRatio(ratio: Spot, value: JsonObject, report: Report): string | undefined {
  const counter = value['counter'] === true;
  const kinds = ['good', 'bad', 'raw'].filter((kind) => kind in value);
  const [kind] = kinds;
  if (kinds.length !== 1 || kind === undefined) {
    report(ratio, 'needs exactly one of "good", "bad" and "raw"');
    return undefined;
  }
  const query = readQuery(at(ratio, kind), counter, report);
  if (kind === 'raw') return readRaw(ratio, query, report);
  const total = readQuery(at(ratio, 'total'), counter, report);
  if (query === undefined || total === undefined) return undefined;
  if (query.wrapped !== total.wrapped) {
    // An increase divided by a rate is off by the seconds of the range.
    report(ratio, `"${kind}" and "total" must both be plain selectors, or both contain $WINDOW`);
    return undefined;
  }
  const share = `(${query.promql}) / (${total.promql})`;
  return kind === 'good' ? `1 - ${share}` : share;
}

function readRaw(ratio: Spot, query: Query | undefined, report: Report): string | undefined {
  const type = at(ratio, 'rawType').value;
  if (type !== 'success' && type !== 'failure') {
    report(ratio, `"rawType" must be success or failure, got ${quote(type)}`, 'rawType');
    return undefined;
  }
  if (query === undefined) return undefined;
  return type === 'success' ? `1 - (${query.promql})` : query.promql;
}

interface Query {
  promql: string;
  /** It was a plain selector, and the range is ours. */
  wrapped: boolean;
}

function readQuery(metric: Spot, counter: boolean, report: Report): Query | undefined {
  const source = at(metric, 'metricSource');
  const type = at(source, 'type');
  if (type.value !== undefined && String(type.value).toLowerCase() !== 'prometheus') {
    report(type, `metrics of type ${quote(type.value)} cannot be asked: only Prometheus can`);
    return undefined;
  }
  const query = at(at(source, 'spec'), 'query');
  if (typeof query.value !== 'string' || query.value.trim() === '' || query.value.length > MAX_QUERY) {
    report(query, 'needs a PromQL query under metricSource.spec.query');
    return undefined;
  }
  return withWindow(
    query,
    query.value.trim().replace(SLOTH_WINDOW, () => '$WINDOW'),
    counter,
    report,
  );
}

function withWindow(spot: Spot, query: string, counter: boolean, report: Report): Query | undefined {
  if (query.includes('$WINDOW')) return { promql: query, wrapped: false };
  if (counter && SELECTOR.test(query)) return { promql: `sum(increase(${query}[$WINDOW]))`, wrapped: true };
  report(spot, 'must contain $WINDOW where the range goes, as in sum(rate(requests_total[$WINDOW]))');
  return undefined;
}

function at(spot: Spot, key: string | number): Spot {
  const { value } = spot;
  const inner = Array.isArray(value) ? value[Number(key)] : isJsonObject(value) ? value[key] : undefined;
  return { document: spot.document, path: [...spot.path, key], value: inner };
}
