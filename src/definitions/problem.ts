/** A mistake in a user's file, with its place and what would be right. */
export interface Problem {
  file: string;
  /** From 1. */
  line: number;
  column: number;
  /** Where in the document, e.g. `spec.stages[1].checks.risk.approvalAbove`. */
  path: string;
  message: string;
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; problems: Problem[] };

/** `slo.yaml:12:9 objectives[2].pass[0] "less than 5" is not a criterion (e.g. <=500, <=+10%)` */
export function sayProblem(problem: Problem): string {
  const path = problem.path === '' ? '' : ` ${problem.path}`;
  return `${problem.file}:${problem.line}:${problem.column}${path} ${problem.message}`;
}
