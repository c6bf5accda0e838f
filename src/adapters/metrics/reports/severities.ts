import { figuresOf } from './report.ts';

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  severity: Severity;
  /** Whether a version exists that is not affected; absent: the report does not say. */
  fixable?: boolean;
}

/** How many of each severity: `critical`, `total`, and `fixable critical` where the report knows that. */
export function countFindings(findings: readonly Finding[], knowsFixes: boolean): Record<string, number> {
  const count = (severity: Severity | undefined, fixable: boolean) =>
    findings.filter((one) => (severity === undefined || one.severity === severity) && (!fixable || one.fixable)).length;
  const counts = [...SEVERITIES, undefined].flatMap((severity): [string, number | undefined][] => [
    [severity ?? 'total', count(severity, false)],
    [`fixable ${severity ?? 'total'}`, knowsFixes ? count(severity, true) : undefined],
  ]);
  return figuresOf(Object.fromEntries(counts));
}

/** A scanner's own word for a severity, in any case; `undefined` for one that is not known. */
export function severityOf(word: unknown): Severity | undefined {
  if (word === undefined || word === null || word === '') return 'unknown';
  return SEVERITIES.find((severity) => typeof word === 'string' && severity === word.toLowerCase());
}

/** The qualitative scale of CVSS v3 and v4 for a score from 0 to 10. */
export function severityOfScore(score: number): Severity | undefined {
  if (!(score >= 0 && score <= 10)) return undefined;
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'negligible';
}
