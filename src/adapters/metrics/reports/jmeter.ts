import { eachRecord } from './csv.ts';
import { badReport, figuresOf, type Report } from './report.ts';

const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;
/** A test plan has dozens of samplers; one with a label for each request would fill the log. */
const MAX_LABELS = 200;
/** A transaction controller writes a line of its own, which sums up requests that are there as well. */
const TRANSACTION = /^Number of samples in transaction\b/;

interface Samples {
  elapsed: number[];
  failures: number;
  firstMs: number;
  lastMs: number;
}

type Columns = Record<'elapsed' | 'success', number> &
  Partial<Record<'timeStamp' | 'label' | 'responseMessage', number>>;

/**
 * JMeter's results as CSV (JTL) with a header (https://jmeter.apache.org/usermanual/listeners.html#csvlogformat).
 * Times are in milliseconds, percentiles by the nearest rank. Figures of one sampler are behind its
 * label: `Checkout/response_time_p95`.
 *
 * @throws {AdapterError} `bad-response`, with the record that is wrong
 */
export function parseJmeter(text: string): Report {
  const all = noSamples();
  const byLabel = new Map<string, Samples>();
  const header: { columns?: Columns; width: number } = { width: 0 };
  const delimiter = delimiterOf(text);
  const problem = eachRecord(text, delimiter, (cells, record) => {
    if (header.columns === undefined) {
      header.columns = columnsOf(cells);
      header.width = cells.length;
    } else if (cells.length > 1 || cells[0] !== '') {
      // Fewer cells than the header: the run, or the copy of its file, was cut off.
      if (cells.length < header.width) throw badReport('JMeter', `is cut off at record ${record}`);
      take(cells, header.columns, record, all, byLabel);
    }
    return undefined;
  });
  if (problem !== undefined) throw badReport('JMeter', `is broken at ${problem}`);
  if (all.elapsed.length === 0) throw badReport('JMeter', 'has no sample in it: nothing was tested');
  const labelled = [...byLabel].flatMap(([label, samples]) =>
    Object.entries(toFigures(samples)).map(([name, value]) => [`${label}/${name}`, value] as const),
  );
  return { figures: { ...Object.fromEntries(labelled), ...toFigures(all) }, artifacts: [] };
}

function delimiterOf(text: string): string {
  const header = text.slice(0, 2000).split(/\r?\n/, 1)[0] ?? '';
  return [',', ';', '\t', '|'].find((one) => header.includes(one)) ?? ',';
}

function columnsOf(cells: readonly string[]): Columns {
  const at = (name: string) => {
    const index = cells.indexOf(name);
    return index < 0 ? undefined : index;
  };
  const [elapsed, success] = [at('elapsed'), at('success')];
  if (elapsed === undefined || success === undefined) {
    throw badReport('JMeter', 'has no header with "elapsed" and "success" (jmeter.save.saveservice.print_field_names)');
  }
  const optional = { timeStamp: at('timeStamp'), label: at('label'), responseMessage: at('responseMessage') };
  return { elapsed, success, ...optional } as Columns;
}

function take(cells: readonly string[], columns: Columns, record: number, all: Samples, byLabel: Map<string, Samples>) {
  const elapsed = Number(cells[columns.elapsed] || Number.NaN);
  const success = cells[columns.success]?.toLowerCase();
  if (!(elapsed >= 0)) throw badReport('JMeter', `has no time in milliseconds in "elapsed" of record ${record}`);
  if (success !== 'true' && success !== 'false') {
    throw badReport('JMeter', `has neither true nor false in "success" of record ${record}`);
  }
  const startMs = columns.timeStamp === undefined ? Number.NaN : Number(cells[columns.timeStamp] || Number.NaN);
  const isTransaction = columns.responseMessage !== undefined && TRANSACTION.test(cells[columns.responseMessage] ?? '');
  const label = columns.label === undefined ? '' : (cells[columns.label] ?? '');
  if (label !== '' && (byLabel.has(label) || byLabel.size < MAX_LABELS)) {
    const samples = byLabel.get(label) ?? noSamples();
    byLabel.set(label, samples);
    add(samples, elapsed, success === 'true', startMs);
  }
  if (!isTransaction) add(all, elapsed, success === 'true', startMs);
}

function noSamples(): Samples {
  return { elapsed: [], failures: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY };
}

/** A time that was saved as a formatted date is not a number: there is no throughput then. */
function add(samples: Samples, elapsed: number, success: boolean, startMs: number): void {
  samples.elapsed.push(elapsed);
  if (!success) samples.failures++;
  samples.firstMs = Math.min(samples.firstMs, startMs);
  samples.lastMs = Math.max(samples.lastMs, startMs + elapsed);
}

function toFigures({ elapsed, failures, firstMs, lastMs }: Samples): Record<string, number> {
  const sorted = Float64Array.from(elapsed).sort();
  const requests = sorted.length;
  const percentiles = Object.entries(PERCENTILES).map(([name, share]) => [
    `response_time_${name}`,
    sorted[Math.ceil(share * requests) - 1],
  ]);
  return figuresOf({
    ...(Object.fromEntries(percentiles) as Record<string, number | undefined>),
    response_time_avg: sorted.reduce((sum, one) => sum + one, 0) / requests,
    response_time_min: sorted[0],
    response_time_max: sorted[requests - 1],
    requests,
    failures,
    error_rate: failures / requests,
    throughput: lastMs > firstMs ? (requests * 1000) / (lastMs - firstMs) : undefined,
  });
}
