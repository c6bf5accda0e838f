import { parseArgs } from 'node:util';
import { ingest } from './ingest.ts';
import type { Benchmark } from './support/benchmark.ts';

const BENCHMARKS: readonly Benchmark[] = [ingest];
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } } });
for (const b of BENCHMARKS) {
  const r = await b.run({ quick: values.quick, say: (l) => console.error(l) });
  console.log(r.tables.join('\n'));
  console.log(r.targets.map((t) => `${t.met ? 'ok  ' : 'MISS'} ${t.name}: ${t.measured} (${t.wanted})`).join('\n'));
}
