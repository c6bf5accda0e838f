import { parseArgs } from 'node:util';
import { evaluate } from './evaluate.ts';
import { fleet } from './fleet.ts';
import { forecast } from './forecast.ts';
import { gitCalls } from './git-calls.ts';
import { ingest } from './ingest.ts';
import { mannWhitney } from './mann-whitney.ts';
import { memory } from './memory.ts';
import { overhead } from './overhead.ts';
import { reaction } from './reaction.ts';
import { storm } from './storm.ts';
import type { Benchmark } from './support/benchmark.ts';
import { type Measured, writeResults } from './support/results.ts';
import { ui } from './ui.ts';

const BENCHMARKS: readonly Benchmark[] = [
  ingest,
  storm,
  fleet,
  overhead,
  reaction,
  memory,
  mannWhitney,
  evaluate,
  forecast,
  gitCalls,
  ui,
];
const USAGE = `Usage: node bench/run.ts [--quick] [--only name]... [--write]

  --quick  few and short rounds: whether everything works, not how fast it is
  --only   one of ${BENCHMARKS.map(({ name }) => name).join(', ')}; more than once for several
  --write  put the figures into docs/benchmarks.md

Ends with 1 when a target is missed, except with --quick. PostgreSQL is measured where it is installed.`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const unknown = values.only.filter((name) => !BENCHMARKS.some((one) => one.name === name));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no benchmark ${unknown.join(', ')}.\n`);
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}
if (values.write && values.quick) {
  console.error('--quick figures are not worth writing down: leave out --quick or --write.');
  process.exit(2);
}

const measured: Measured[] = [];
for (const benchmark of BENCHMARKS) {
  if (values.only.length > 0 && !values.only.includes(benchmark.name)) continue;
  console.log(`\n${benchmark.title}\n`);
  const result = await benchmark.run({ quick: values.quick, say: (line) => console.error(`  ${line}`) });
  console.log(`\n${result.tables.join('\n\n')}\n`);
  for (const { met, name, measured: value, wanted } of result.targets)
    console.log(`${met ? 'met   ' : 'MISSED'} ${name}: ${value} (${wanted})`);
  measured.push({ benchmark, result });
}
if (values.write) writeResults(measured);
// A short round on a busy machine says nothing about speed: it fails only when something does not work.
const missed = measured.some(({ result }) => result.targets.some(({ met }) => !met));
process.exitCode = missed && !values.quick ? 1 : 0;
