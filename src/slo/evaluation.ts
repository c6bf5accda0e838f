/** slo.yaml after parsing: Keptn's format with its defaults filled in. */
export interface Slo {
  comparison: {
    /** How many earlier evaluations are compared with. */
    count: number;
    include: 'all' | 'pass' | 'pass_or_warn';
    aggregate: 'avg' | 'p50' | 'p90' | 'p95';
  };
  objectives: Objective[];
  /** Thresholds in percent, 0..100. */
  totalScore: { pass: number; warning?: number };
  /** Passed to the queries as placeholders. */
  filter: Record<string, string>;
}

export interface Objective {
  sli: string;
  displayName?: string;
  /** OR over the sets, AND within a set. Empty: informational. */
  pass: CriteriaSet[];
  warning: CriteriaSet[];
  weight: number;
  keySli: boolean;
}

/** Criteria as written, e.g. `<=+10%`; parsed when the file is read, so an invalid one never gets here. */
export type CriteriaSet = string[];

/** The value of one indicator, or why there is none. */
export type IndicatorValue =
  | { metric: string; ok: true; value: number }
  | { metric: string; ok: false; message: string };

export interface Target {
  criteria: string;
  targetValue: number;
  violated: boolean;
}

export interface IndicatorResult {
  sli: string;
  displayName: string;
  keySli: boolean;
  weight: number;
  /** Absent: there was none. */
  value?: number;
  /** What it was compared with: the aggregate of earlier values. */
  comparedValue?: number;
  message?: string;
  status: 'pass' | 'warning' | 'fail' | 'info';
  /** Weighted points reached. */
  score: number;
  passTargets: Target[];
  warningTargets: Target[];
}

/** An evaluation's verdict with its reasoning; `result` follows `score` unless a key SLI failed. */
export interface Evaluation {
  result: 'pass' | 'warning' | 'fail';
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
