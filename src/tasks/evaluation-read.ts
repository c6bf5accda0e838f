import type { Reading, SeriesReading } from '../adapters/metrics/metrics-source.ts';

/** One query on its way to a source. */
export interface Read {
  part: 'source' | 'samples' | 'experiment' | 'control';
  provider?: string;
  query: string;
  variables: Record<string, string>;
  /** Asks for the points behind the number. */
  stepMs?: number;
}

export type ReadAnswer = { read: Read; reading: Reading | SeriesReading };
