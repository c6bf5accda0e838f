import type { BurnLimit } from '../slo/budget-objective.ts';
import { at, entries, type FindObject, type Report, type Spot } from './openslo-spot.ts';
import { durationMs } from './quantities.ts';
import { quote } from './validate.ts';

/** Alerts that wait for office hours make a person look; all others deny. */
const LOW_SEVERITIES = /^(?:ticket|warning|warn|info|low)$/i;

/** The limits on burn rates that the alert policies of an SLO state; the targets of their notifications are theirs. */
export function readAlerts(policies: Spot, find: FindObject, report: Report): BurnLimit[] {
  if (policies.value === null || policies.value === undefined) return [];
  if (!Array.isArray(policies.value)) {
    report(policies, `alertPolicies must be a list, got ${quote(policies.value)}`);
    return [];
  }
  const limits = entries(policies).flatMap((entry) => {
    const ref = typeof entry.value === 'string' ? entry : at(entry, 'alertPolicyRef');
    const policy = ref.value === undefined ? entry : find('AlertPolicy', ref.value);
    if (policy !== undefined) return readPolicy(policy, find, report);
    report(ref, `there is no AlertPolicy ${quote(ref.value)} in this file: add it after a "---"`);
    return [];
  });
  return limits.sort((a, b) => a.windowMs - b.windowMs);
}

/** Also for a policy that no SLO uses, so that its mistakes are heard of. */
export function readPolicy(policy: Spot, find: FindObject, report: Report): BurnLimit[] {
  const conditions = at(policy, 'spec', 'conditions');
  const spots = entries(conditions);
  if (spots.length !== 1) {
    report(conditions, `an AlertPolicy has exactly one condition, got ${spots.length}`);
    return [];
  }
  return spots.flatMap((entry) => {
    const ref = at(entry, 'conditionRef');
    const condition = ref.value === undefined ? entry : find('AlertCondition', ref.value);
    if (condition !== undefined) return readCondition(condition, report);
    report(ref, `there is no AlertCondition ${quote(ref.value)} in this file: add it after a "---"`);
    return [];
  });
}

export function readCondition(alert: Spot, report: Report): BurnLimit[] {
  const condition = at(alert, 'spec', 'condition');
  const [kind, op, threshold, lookback] = ['kind', 'op', 'threshold', 'lookbackWindow'].map((key) =>
    at(condition, key),
  );
  if (kind === undefined || op === undefined || threshold === undefined || lookback === undefined) return [];
  if (String(kind.value).toLowerCase() !== 'burnrate') {
    report(kind, `kind of a condition must be burnrate, got ${quote(kind.value)}`);
    return [];
  }
  const windowMs = typeof lookback.value === 'string' ? durationMs(lookback.value) : undefined;
  const factor = typeof threshold.value === 'number' ? threshold.value : Number.NaN;
  // The specification does not say what "burnrate lte 2" alerts on, and guessing could turn a limit around.
  if (op.value !== undefined && op.value !== 'gt' && op.value !== 'gte')
    report(op, `a burn rate is too fast above a limit: write gt or gte, got ${quote(op.value)}`);
  else if (windowMs === undefined) report(lookback, `${quote(lookback.value)} is not a duration such as 1h`);
  else if (!(factor > 0)) report(threshold, `must be a number above 0, got ${quote(threshold.value)}`);
  else {
    const low = LOW_SEVERITIES.test(String(at(alert, 'spec', 'severity').value));
    return [{ windowMs, factor, answer: low ? 'needs-approval' : 'deny' }];
  }
  return [];
}
