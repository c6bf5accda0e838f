/** How errors become spent budget. The three give three numbers for the same service, so the method is always said. */
export type BudgetMethod = 'occurrences' | 'timeslices' | 'ratio-timeslices';

export type Comparator = 'lt' | 'lte' | 'gt' | 'gte';

/** What a metrics source is asked for; `$WINDOW` in a query stands for the range. */
export type Measure =
  | { kind: 'ratio'; query: string; of: 'errors' | 'successes' }
  | { kind: 'counts'; good?: string; bad?: string; total: string }
  /** Every sample of a gauge is an event, good when it compares so with the value. */
  | { kind: 'samples'; query: string; op: Comparator; value: number }
  /** Recording rules that Sloth wrote for this id. */
  | { kind: 'sloth'; id: string }
  /** Recording rules that Pyrra wrote, found by their labels. */
  | { kind: 'pyrra'; labels: Readonly<Record<string, string>> };

export type CalendarUnit = 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';

export type BudgetWindow =
  | { kind: 'rolling'; ms: number }
  /** Periods of `count` units one after the other, from `start` (`2026-01-01T00:00:00` on a clock in the zone). */
  | { kind: 'calendar'; unit: CalendarUnit; count: number; start: string; timeZone: string };

/** One objective with everything that its error budget is computed from. Plain data: it travels in a plan. */
export interface BudgetObjective {
  /** For people and to choose one of several; empty when it has none. */
  name: string;
  /** e.g. 0.999; below 1. */
  target: number;
  window: BudgetWindow;
  method: BudgetMethod;
  measure: Measure;
  /** For the methods of time slices: their width, and the share of good events that makes a slice good. */
  slices?: { widthMs: number; target?: number };
  /** Query for the number of events, where the measure is a ratio: low traffic is known by it. */
  total?: string;
  /** Which metrics source OpenSLO means: by name, or any of a type. */
  source?: { name?: string; type?: string };
  /** Share in a composite objective, against the weights of the others. */
  weight?: number;
}

/** A limit on the burn rate over one window. */
export interface BurnLimit {
  windowMs: number;
  factor: number;
  /** What a faster burn means; absent: a denial. */
  answer?: 'deny' | 'needs-approval';
}

/** Says how a budget is counted, as reports and evidence show it. */
export function sayMethod({ method, measure, slices, window }: BudgetObjective): string {
  const calendar = window.kind === 'calendar' ? ', calendar window' : '';
  if (measure.kind === 'sloth') return 'Sloth: mean of 5-minute ratios';
  if (measure.kind === 'pyrra') return 'Pyrra: occurrences';
  const width = slices === undefined ? '' : ` of ${slices.widthMs / 1000} s`;
  if (method === 'timeslices') return `timeslices${width}${calendar}`;
  if (method === 'ratio-timeslices') return `ratio of timeslices${width}${calendar}`;
  return `occurrences${calendar}`;
}

/** What an OpenSLO file says of a budget. */
export interface BudgetDocument {
  /** Of the SLO and of its service, as the file names them. */
  name: string;
  service: string;
  /** At least one. */
  objectives: BudgetObjective[];
  /** The objectives are parts of one, by their weights. */
  composite: boolean;
  /** From its alert conditions. */
  burnLimits: BurnLimit[];
}
