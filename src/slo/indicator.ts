/** How the answers of several sources become one number; `worst` follows the indicator's direction. */
export type Aggregation = 'sum' | 'avg' | 'max' | 'min' | 'worst';

/** Where an indicator's number comes from, as sli.yaml says it. */
export interface Indicator {
  /** At least one, unless the number is pushed with an event, a file or by a test. */
  sources: IndicatorSource[];
  aggregation: Aggregation;
  /** For people: `ms`, `%`, `findings`. Never converted. */
  unit?: string;
  /** Which way is better; needed for `worst`, and to say whether a change is a regression. */
  better?: 'lower' | 'higher';
  /** With fewer samples than this there is no number: ten requests say nothing of a percentile. */
  minimumSamples?: { query: string; provider?: string; count: number };
}

export interface IndicatorSource {
  /** Name of a metrics source in lynceus.yaml; without it the evaluation's own, or the only one. */
  provider?: string;
  query: string;
}

/** A bare query, as Keptn's sli.yaml has it. */
export function indicatorOfQuery(query: string): Indicator {
  return { sources: [{ query }], aggregation: 'sum' };
}
