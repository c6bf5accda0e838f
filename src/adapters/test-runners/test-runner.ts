/** What a test found. Its figures become indicators of the evaluation, by name. */
export interface TestReport {
  passed: boolean;
  /** One sentence per expectation that was not met. */
  failures: string[];
  /** e.g. `response_time_p95` (milliseconds), `error_rate` (0..1), `throughput` (requests per second). */
  indicators: Record<string, number>;
  /** When the load really ran, ISO 8601: the default window of the evaluation. */
  start: string;
  end: string;
}

export interface TestProgress {
  /** 0..1 */
  fraction: number;
  sentence: string;
}

export interface TestRunOptions {
  signal: AbortSignal;
  onProgress: (progress: TestProgress) => void;
}

/** Runs one kind of test against a deployed application. Contract: test/contracts/test-runner.ts. */
export interface TestRunner<Spec> {
  readonly kind: string;
  /**
   * @param baseUrl where the application answers; paths in the spec are relative to it
   * @throws {AdapterError} when the test could not be carried out; a test that ran and failed is a report
   */
  run(spec: Spec, baseUrl: string, options: TestRunOptions): Promise<TestReport>;
}
