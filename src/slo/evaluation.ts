import type { ControlCriteria, ControlVerdict } from './canary.ts';

/** slo.yaml after parsing: Keptn's format with its defaults filled in. */
export interface Slo {
  /** How it is judged; `keptn` as Keptn's lighthouse did, with all that it let pass. Absent: strictly. */
  compatibility?: 'strict' | 'keptn';
  comparison: Comparison;
  objectives: Objective[];
  /** Thresholds in percent, 0..100. */
  totalScore: {
    pass: number;
    warning?: number;
    /** Only `keptn`: why there are no thresholds; the evaluation is errored. */
    mistake?: string;
  };
  /** Passed to the queries as placeholders. */
  filter: Record<string, string>;
}

export interface Comparison {
  /** How many earlier evaluations are compared with; below 1 all of them (only `keptn`). */
  count: number;
  include: 'all' | 'pass' | 'pass_or_warn';
  /** `zero` is Keptn's answer to a name that it does not know. */
  aggregate: 'avg' | 'p50' | 'p90' | 'p95' | 'zero';
}

export interface Objective {
  sli: string;
  displayName?: string;
  /** OR over the sets, AND within a set. Empty, and no `control`: informational. */
  pass: CriteriaSet[];
  warning: CriteriaSet[];
  weight: number;
  keySli: boolean;
  /** Compared with a control group that was measured at the same time. */
  control?: ControlCriteria;
}

/** Criteria as written, e.g. `<=+10%`; parsed when the file is read, so an invalid one never gets here. */
export type CriteriaSet = string[];

/** The value of one indicator, or why there is none. */
export type IndicatorValue =
  | ({ metric: string; ok: true; value: number } & IndicatorFacts)
  | { metric: string; ok: false; message: string };

/** What is known of a value besides itself; kept with the result, for people. */
export interface IndicatorFacts {
  /** Such as `ms`. Never converted. */
  unit?: string;
  better?: 'lower' | 'higher';
  /** How many samples are behind the value. */
  samples?: number;
  /** The values that it was put together from. */
  sources?: { provider?: string; value: number }[];
  /** With a control group: the points of both, and `value` is the median of the experiment's. */
  groups?: { experiment: number[]; control: number[] };
}

export interface Target {
  criteria: string;
  targetValue: number;
  violated: boolean;
}

export interface IndicatorResult extends Omit<IndicatorFacts, 'groups'> {
  sli: string;
  displayName: string;
  keySli: boolean;
  weight: number;
  /** Absent: there was none. */
  value?: number;
  /** What it was compared with: the aggregate of earlier values. */
  comparedValue?: number;
  /** `value` less `comparedValue`. */
  change?: number;
  /** Whether that change is for the worse; only where the indicator says which way is better. */
  regression?: boolean;
  message?: string;
  status: 'pass' | 'warning' | 'fail' | 'info';
  /** Weighted points reached. */
  score: number;
  passTargets: Target[];
  warningTargets: Target[];
  /** What the comparison with the control group said. */
  control?: ControlVerdict;
}

/** An evaluation's verdict with its reasoning; `result` follows `score` unless a key SLI failed. */
export interface Evaluation {
  result: 'pass' | 'warning' | 'fail';
  /**
   * False: it could not be judged, and `result` is `fail` for want of data only: had each value that is
   * missing met its objective, it would not have failed. Absent in evaluations of an older version.
   */
  judged?: boolean;
  /** 0..100 */
  score: number;
  thresholds: { pass: number; warning?: number };
  indicators: IndicatorResult[];
  /** One sentence: what decided. */
  message: string;
  /** Ids of the earlier evaluations it was compared with. */
  compared: string[];
}

/** An earlier evaluation of the same service in the same stage, newest first where they come in a list. */
export interface EarlierEvaluation {
  id: string;
  result: 'pass' | 'warning' | 'fail';
  indicators: { sli: string; value?: number }[];
}
