import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Benchmark, Result } from './benchmark.ts';
import { table } from './figures.ts';

export interface Measured {
  benchmark: Benchmark;
  result: Result;
}

const PAGE = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));

/**
 * Replaces the figures of these benchmarks in docs/benchmarks.md, or adds them at its end; what people wrote
 * around them stays.
 */
export function writeResults(measured: readonly Measured[]): void {
  let page = readFileSync(PAGE, 'utf8');
  for (const one of measured) page = replaced(page, one.benchmark.name, section(one));
  writeFileSync(PAGE, page);
}

function replaced(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${begin}\n${text}\n${end}\n`;
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

function section({ benchmark, result }: Measured): string {
  const targets = result.targets.map(({ name, wanted, measured, met }) => [
    name,
    wanted,
    measured,
    met ? 'yes' : '**no**',
  ]);
  return [
    `## ${benchmark.title}`,
    benchmark.method,
    `Measured ${new Date().toISOString().slice(0, 10)} on ${machine()}.`,
    ...result.tables,
    table(['target', 'wanted', 'measured', 'met'], targets),
  ].join('\n\n');
}

function machine(): string {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} cores (${processors[0]?.model.trim() ?? 'unknown'}), ${memory} GB, ${process.platform}, Node ${process.versions.node}`;
}
