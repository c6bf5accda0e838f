import type { MetricsSource } from '../adapters/metrics/metrics-source.ts';
import { noData } from '../adapters/metrics/missing.ts';
import { figureOf, readReport } from '../adapters/metrics/reports/read-report.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { type Terminal, UsageError } from './command.ts';
import { readText } from './evaluate-input.ts';
import { oneLine } from './table.ts';

/** A report of tests or of a scanner, given on the command line under a name. */
export interface NamedReport {
  name: string;
  figures: Readonly<Record<string, number>>;
}

/**
 * Reads `name=file` pairs; the format is found out.
 *
 * @throws {UsageError} naming the file and what is wrong with it
 */
export function readReports(terminal: Terminal, reports: readonly string[]): NamedReport[] {
  const read = reports.map((report) => {
    const [, name, file] = /^([^=]+)=(.+)$/s.exec(report) ?? [];
    if (name === undefined || file === undefined)
      throw new UsageError(`--report ${oneLine(report)}: write name=file, such as load=summary.json`);
    return { name, figures: figuresOf(readText(terminal, file), file) };
  });
  const twice = read.find(({ name }, at) => read.findIndex((other) => other.name === name) !== at);
  if (twice) throw new UsageError(`--report ${twice.name}: is given twice; give each its own name`);
  return read;
}

function figuresOf(text: string, file: string): Readonly<Record<string, number>> {
  try {
    return readReport('auto', text);
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    throw new UsageError(oneLine(`--report ${file}: ${error.message}`));
  }
}

/** A report as sli.yaml asks it: by its name as provider, with the name of a figure as query. */
export function reportSource({ name, figures }: NamedReport): MetricsSource {
  return {
    kind: 'report',
    name,
    async read({ query }) {
      const value = figureOf(figures, query.trim());
      return value === undefined ? noData(`the report ${name} has no "${query.trim()}"`) : { ok: true, value };
    },
  };
}

/** The figure of that name, for objectives of which sli.yaml says nothing. */
export function figureIn(reports: readonly NamedReport[], metric: string): number | undefined {
  return reports.map(({ figures }) => figureOf(figures, metric)).find((value) => value !== undefined);
}
