export interface BenchmarkOptions {
  /** Fewer and shorter rounds: whether everything works, not how fast it is. */
  quick: boolean;
  /** Says what is going on, for people who wait. */
  say(line: string): void;
}

/** A limit that the service promises to keep, and what was measured. */
export interface Target {
  name: string;
  wanted: string;
  measured: string;
  met: boolean;
}

export interface Result {
  /** Markdown. */
  tables: string[];
  targets: Target[];
}

export interface Benchmark {
  name: string;
  title: string;
  /** What is compared with what, for docs/benchmarks.md. */
  method: string;
  run(options: BenchmarkOptions): Promise<Result>;
}

export function atLeast(name: string, limit: number, value: number): Target {
  return { name, wanted: `at least ${limit}`, measured: value.toFixed(2), met: value >= limit };
}

export function under(name: string, limit: number, value: number, unit: string): Target {
  return { name, wanted: `under ${limit} ${unit}`, measured: `${value.toFixed(0)} ${unit}`, met: value < limit };
}
