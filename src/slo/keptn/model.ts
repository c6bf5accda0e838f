/** slo.yaml as Keptn's parser hands it on: its own names, its defaults filled in, nothing checked. */
export interface KeptnSlo {
  spec_version: string;
  filter: Record<string, string> | null;
  comparison: KeptnComparison;
  objectives: KeptnObjective[];
  total_score: { pass: string; warning: string } | null;
}

export interface KeptnComparison {
  compare_with: string;
  include_result_with_score: string;
  number_of_comparison_results: number;
  aggregate_function: string;
}

export interface KeptnObjective {
  sli: string;
  displayName: string;
  pass: { criteria: string[] }[] | null;
  warning: { criteria: string[] }[] | null;
  weight: number;
  key_sli: boolean;
}

export interface KeptnValue {
  metric: string;
  value: number;
  comparedValue: number;
  success: boolean;
  message?: string;
}

export interface KeptnTarget {
  criteria: string;
  targetValue: number;
  violated: boolean;
}

export interface KeptnIndicatorResult {
  score: number;
  value: KeptnValue | null;
  displayName: string;
  /** Null where a value was judged and there were no criteria. */
  passTargets: KeptnTarget[] | null;
  warningTargets: KeptnTarget[] | null;
  keySli: boolean;
  status: 'pass' | 'warning' | 'fail' | 'info';
}

/** What every event of Keptn says of itself. */
export interface KeptnEventData {
  project: string;
  stage: string;
  service: string;
  labels?: Record<string, string>;
  status?: string;
  result?: string;
  message?: string;
}

/** `data` of get-sli.finished, what an evaluation starts from. */
export interface KeptnGetSliFinished extends KeptnEventData {
  'get-sli': { start: string; end: string; indicatorValues: KeptnValue[] };
}

/** `data` of evaluation.finished. */
export interface KeptnFinished extends KeptnEventData {
  evaluation: KeptnEvaluation;
}

export interface KeptnEvaluation {
  timeStart: string;
  timeEnd: string;
  /** Of the score alone; `data.result` may be worse. */
  result: string;
  score: number;
  /** Base64 of slo.yaml; empty where there is none, or none that can be read. */
  sloFileContent: string;
  indicatorResults: KeptnIndicatorResult[] | null;
  comparedEvents?: string[];
}

/** What of an earlier evaluation.finished matters to the next one. */
export interface KeptnEarlier {
  id: string;
  result: string;
  values: KeptnValue[];
}

/** The key objective that failed last. */
export interface KeptnKeySli {
  failed: boolean;
  name: string;
  message: string;
}
