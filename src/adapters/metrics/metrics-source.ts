import type { Finding } from '../../events/finding.ts';

/** Values for placeholders in a query: `$SERVICE`, `$LABEL.team`, `$DURATION_SECONDS`, ... by name without `$`. */
export type QueryVariables = Readonly<Record<string, string>>;

export interface MetricQuery {
  /** In the source's own language, with placeholders; the source puts them in, escaped for its language. */
  query: string;
  variables: QueryVariables;
  /** The period that is judged, ISO 8601. */
  start: string;
  end: string;
}

/**
 * What a source answered: a number, or that there is none and why. No samples is evidence for the
 * verdict, never zero.
 */
export type Reading = { ok: true; value: number } | { ok: false; missing: Missing; message: string };

/** `doubtful`: there is a number, but the source itself warns of it. */
export type Missing = 'no-data' | 'not-a-number' | 'several-values' | 'not-numeric' | 'doubtful';

/** One series over the period, oldest first; gaps are left out, so there may be fewer points than steps. */
export type SeriesReading = { ok: true; points: number[] } | { ok: false; missing: Missing; message: string };

export interface SeriesQuery extends MetricQuery {
  stepMs: number;
}

/** A system that can answer a numeric question about a period. Contract: test/contracts/metrics-source.ts. */
export interface MetricsSource {
  readonly kind: string;
  /** The configured name, e.g. `prometheus`. */
  readonly name: string;

  /** Checks the source beyond its being there; absent: only its address is tried. */
  diagnose?(options?: { signal?: AbortSignal }): Promise<Finding[]>;

  /** @throws {AdapterError} when the source could not be asked, or its answer made no sense */
  read(query: MetricQuery, options?: { signal?: AbortSignal }): Promise<Reading>;

  /**
   * The points behind a number, for comparing two groups. Absent: this source has none.
   *
   * @throws {AdapterError} as `read`
   */
  series?(query: SeriesQuery, options?: { signal?: AbortSignal }): Promise<SeriesReading>;
}
