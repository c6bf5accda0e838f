import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assessRisk, type Contribution } from '../../src/risk/assess.ts';
import { type RiskSignals, sensitiveKinds, topLevelDirectories } from '../../src/risk/signals.ts';

const policy = { approvalAbove: 25 };
const FRIDAY_EVENING = 4 * 1440 + 18 * 60;
const MONDAY_NOON = 12 * 60;

const contributions = (signals: RiskSignals) =>
  assessRisk(signals, policy).figures['contributions'] as unknown as Contribution[];
const contribution = (signals: RiskSignals, name: string) =>
  contributions(signals).find(({ signal }) => signal === name);

describe('the risk of a change', () => {
  it('begins with how often the service failed, smoothed towards 15 %', () => {
    expect(assessRisk({ history: { deployments: 0, failures: 0 } }, policy).score).toBeCloseTo(15, 9);
    expect(assessRisk({ history: { deployments: 90, failures: 0 } }, policy).score).toBeCloseTo(1.5, 9);
    expect(assessRisk({ history: { deployments: 10, failures: 10 } }, policy).score).toBeCloseTo(57.5, 9);
  });

  it('adds up its contributions in log-odds, and says what each is worth in points', () => {
    const signals: RiskSignals = {
      lines: 2000,
      files: 60,
      directories: 8,
      commits: 12,
      sensitive: ['RBAC'],
      history: { deployments: 20, failures: 3 },
      hoursSinceFailure: 5,
      budgetRemaining: 0.4,
      localMinuteOfWeek: FRIDAY_EVENING,
      rollback: false,
    };
    const assessed = assessRisk(signals, policy);
    const base = assessed.figures['base'] as { logit: number };
    const total = contributions(signals).reduce((sum, { logit }) => sum + logit, base.logit);
    expect(100 / (1 + Math.exp(-total))).toBeCloseTo(assessed.score, 9);
    for (const { logit, points } of contributions(signals)) {
      expect(points).toBeCloseTo(assessed.score - 100 / (1 + Math.exp(-(total - logit))), 9);
    }
    expect(assessed.answer).toBe('needs-approval');
    expect(assessed.reasons.join('\n')).toContain('size adds');
    expect(assessed.figures['missing']).toEqual([]);
  });

  it('never denies by itself, only where the file says so', () => {
    const worst: RiskSignals = {
      lines: 1e6,
      files: 1e4,
      directories: 99,
      commits: 999,
      history: { deployments: 50, failures: 50 },
      hoursSinceFailure: 0,
      budgetRemaining: -3,
    };
    expect(assessRisk(worst, { approvalAbove: 25 }).answer).toBe('needs-approval');
    const denied = assessRisk(worst, { approvalAbove: 25, denyAbove: 90 });
    expect(denied.answer).toBe('deny');
    expect(denied.reasons[0]).toContain('above 90 it is denied');
    expect(denied.reasons).toHaveLength(8);
    expect(assessRisk({ history: { deployments: 90, failures: 0 } }, { approvalAbove: 25, denyAbove: 90 }).answer).toBe(
      'pass',
    );
  });

  it('names what is not known, and counts it as nothing', () => {
    const assessed = assessRisk({ history: { deployments: 0, failures: 0 }, lines: 0 }, policy);
    expect(assessed.score).toBeCloseTo(15, 9);
    expect(assessed.figures['missing']).toEqual([
      'files',
      'diffusion',
      'batch',
      'sensitive paths',
      'recent failure',
      'error budget',
      'time',
      'rollback',
    ]);
    expect(assessed.reasons.at(-1)).toContain('not known, so not counted: files');
  });

  it('is not known when nothing but the time is known of the change', () => {
    expect(assessRisk({}, policy).answer).toBe('unknown');
    expect(assessRisk({ localMinuteOfWeek: MONDAY_NOON }, policy).answer).toBe('unknown');
    expect(assessRisk({ lines: Number.NaN }, policy).answer).toBe('unknown');
    expect(assessRisk({ lines: 3 }, policy).answer).toBe('pass');
  });

  it.each([
    [MONDAY_NOON, 'working hours', 0],
    [8 * 60, 'out of hours', 1],
    [17 * 60, 'out of hours', 1],
    [4 * 1440 + 12 * 60, 'working hours', 0],
    [FRIDAY_EVENING, 'Friday evening', 1],
    [5 * 1440 + 12 * 60, 'weekend', 1],
  ])('at minute %i of the week knows it as %s', (localMinuteOfWeek, seen, strength) => {
    expect(contribution({ lines: 1, localMinuteOfWeek }, 'time')).toMatchObject({ seen, strength });
  });

  it.each([
    [0, 1],
    [24, 1],
    [48, 0.5],
    [72, 0],
    [1000, 0],
    ['none', 0],
  ] as const)('remembers a failure %s hours ago by %d', (hoursSinceFailure, strength) => {
    expect(contribution({ hoursSinceFailure }, 'recent failure')).toMatchObject({ strength });
  });

  it('is lower for a way back', () => {
    const history = { deployments: 5, failures: 1 };
    expect(assessRisk({ history, rollback: true }, policy).score).toBeLessThan(assessRisk({ history }, policy).score);
  });

  it('grows with everything that makes a change larger, and stays within 0 and 100', () => {
    const amount = fc.nat({ max: 100_000 });
    const signals = fc.record(
      { lines: amount, files: amount, directories: amount, commits: amount },
      { requiredKeys: ['lines', 'files', 'directories', 'commits'] },
    );
    fc.assert(
      fc.property(
        signals,
        fc.constantFrom('lines' as const, 'files' as const, 'directories' as const, 'commits' as const),
        fc.nat(1000),
        (each, key, more) => {
          const [less, greater] = [each, { ...each, [key]: each[key] + more }].map(
            (one) => assessRisk(one, policy).score,
          );
          expect(greater).toBeGreaterThanOrEqual(less ?? 101);
          expect(greater).toBeLessThan(100);
          expect(less).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('paths', () => {
  it.each([
    ['db/migrations/0001_init.sql', ['database migration']],
    ['deploy/rbac.yaml', ['RBAC']],
    ['deploy/cluster-role-binding.yaml', ['RBAC']],
    ['charts/x/crds/thing.yaml', ['custom resource definition']],
    ['base/network-policy.yaml', ['network policy']],
    ['base/networkpolicies/a.yaml', ['network policy']],
    ['app/sealed-secret.yaml', ['secret']],
    ['src/secretary.ts', []],
    ['src/immigration/page.ts', []],
    ['docs/scroller.md', []],
  ])('%s is sensitive as %j', (path, kinds) => {
    expect(sensitiveKinds(['README.md', path])).toEqual(kinds);
  });

  it('are counted by their top-level directory', () => {
    expect(topLevelDirectories(['a/b', 'a/c', 'b/c/d', 'README', 'LICENSE'])).toBe(3);
    expect(topLevelDirectories([])).toBe(0);
  });
});
