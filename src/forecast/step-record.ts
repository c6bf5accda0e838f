/** What became of one step of a change; the only thing that forecasts are made of. Times are ISO 8601. */
export interface StepRecord {
  change: string;
  project: string;
  service: string;
  team?: string;
  stage: string;
  step: string;
  attempt: number;
  startedAt: string;
  endedAt: string;
  outcome: 'passed' | 'warning' | 'failed' | 'aborted' | 'superseded';
  /** What it failed at: an indicator, a check, a reason. */
  cause?: string;
  /** People, not machines, took this time. */
  human: boolean;
}
