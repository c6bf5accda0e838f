import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RiskPolicy, RiskSignalKey } from '../../src/definitions/delivery-risk.ts';
import { assessRisk } from '../../src/risk/assess.ts';
import { SIGNALS } from '../../src/risk/catalogue.ts';
import { defaultModel, raises } from '../../src/risk/model.ts';
import { type Contribution, scoreRisk } from '../../src/risk/score.ts';
import type { RiskSignals } from '../../src/risk/signals.ts';

const policy: RiskPolicy = { approvalAbove: 25 };
const FRIDAY_EVENING = 4 * 1440 + 18 * 60;
const MONDAY_NOON = 12 * 60;

/** Everything is known, and nothing of it is bad. */
const CALM: RiskSignals = {
  lines: 0,
  files: 0,
  directories: 0,
  commits: 1,
  sensitive: [],
  history: { deployments: 0, failures: 0 },
  hoursSinceFailure: 'none',
  localMinuteOfWeek: MONDAY_NOON,
  rollback: false,
  noDifference: false,
};

const LEVELS = ['low', 'medium', 'high'];
const score = (signals: RiskSignals) => assessRisk(signals, policy).score;
const contribution = (signals: RiskSignals, key: RiskSignalKey) =>
  (assessRisk(signals, policy).figures['contributions'] as unknown as Contribution[]).find((one) => one.key === key);

describe('the risk of a change', () => {
  it('begins with how often the service failed, smoothed towards 15 %', () => {
    expect(score(CALM)).toBeCloseTo(15, 9);
    expect(score({ ...CALM, history: { deployments: 90, failures: 0 } })).toBeCloseTo(1.5, 9);
    expect(score({ ...CALM, history: { deployments: 10, failures: 10 } })).toBeCloseTo(57.5, 9);
  });

  it('adds up its contributions in log-odds, and says what each is worth in points', () => {
    const scored = scoreRisk(
      {
        ...CALM,
        lines: 2000,
        files: 60,
        directories: 8,
        commits: 12,
        sensitive: ['RBAC'],
        history: { deployments: 20, failures: 3 },
        hoursSinceFailure: 5,
        budgetRemaining: 0.4,
        localMinuteOfWeek: FRIDAY_EVENING,
      },
      defaultModel,
    );
    const total = scored.contributions.reduce(
      (sum, { logit }) => sum + logit,
      scored.base.logit + defaultModel.intercept,
    );
    expect(total).toBe(scored.logit);
    expect(100 / (1 + Math.exp(-total))).toBe(scored.score);
    for (const { logit, points, strength, weight } of scored.contributions) {
      expect(logit).toBe(strength * weight);
      expect(points).toBeCloseTo(scored.score - 100 / (1 + Math.exp(-(total - logit))), 9);
    }
    expect(scored.upTo).toBe(scored.score);
  });

  it('says why, the strongest reason first', () => {
    const { reasons, answer } = assessRisk({ ...CALM, lines: 2000, sensitive: ['RBAC'] }, policy);
    // 15 %: logit -1.7346; + 0.8 + 0.7 = -0.2346: 44.16; without paths -0.9346: 28.20; without size -1.0346: 26.22.
    expect(answer).toBe('needs-approval');
    expect(reasons).toEqual([
      'risk 44.2 of 100; above 25 a person must agree',
      'size adds 17.9: 2000 changed lines',
      'sensitive paths adds 16.0: RBAC',
    ]);
  });

  it('never denies by its score, only where the file says so', () => {
    const worst: RiskSignals = {
      ...CALM,
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
    expect(assessRisk(CALM, { approvalAbove: 25, denyAbove: 90 }).answer).toBe('pass');
  });

  it('is not known when nothing but the time is known of the change', () => {
    expect(assessRisk({}, policy).answer).toBe('unknown');
    expect(assessRisk({ localMinuteOfWeek: MONDAY_NOON, hoursToFreeze: 1 }, policy).answer).toBe('unknown');
    expect(assessRisk({ lines: Number.NaN }, policy).answer).toBe('unknown');
    expect(assessRisk(CALM, policy).answer).toBe('pass');
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
    expect(contribution({ hoursSinceFailure }, 'recentFailure')).toMatchObject({ strength });
  });

  it.each<[RiskSignalKey, RiskSignals, number, string]>([
    ['alerts', { alertsFiring: 0 }, 0, '0 alerts fired in 24 h'],
    ['alerts', { alertsFiring: 1 }, 1, '1 alert fired in 24 h'],
    ['freeze', { hoursToFreeze: 2 }, 0.75, '2 h until the freeze'],
    ['freeze', { hoursToFreeze: 'none' }, 0, 'no freeze within a day'],
    ['previousStage', { previousResult: 'warning' }, 1, 'ended with warning there'],
    ['previousSoak', { previousSoak: { ranMs: 900_000, expectedMs: 3_600_000 } }, 0.75, 'ran 15 min of 1 h there'],
    ['familiarity', { authors: { all: 2, unfamiliar: 1 } }, 0.5, '1 of 2 authors new here'],
    ['versionJump', { versionJump: 'major' }, 1, 'major version'],
    ['versionJump', { versionJump: 'minor' }, 0.3, 'minor version'],
    ['configAndImage', { configAndImage: true }, 1, 'both change at once'],
    ['lastDeployment', { daysSinceDeployment: 18.5 }, 0.5, '18 d ago'],
    ['selfApproval', { selfApproved: true }, 1, 'approved by an author'],
    [
      'dependencies',
      { dependencies: [{ name: 'payments', value: 0.9, below: 0.99 }] },
      1,
      'payments 0.9 is below 0.99',
    ],
    ['infrastructure', { infrastructure: [{ name: 'upgrade', value: 0, above: 0 }] }, 0, 'all fine'],
    ['diffusion', { directories: 4 }, 0.5, '4 top-level directories'],
  ])('sees %s in %j', (key, signals, strength, seen) => {
    expect(contribution({ ...CALM, ...signals }, key)).toMatchObject({ strength, seen });
  });

  it('takes weights from the stage, and says so', () => {
    const { figures } = assessRisk({ ...CALM, lines: 2000 }, { ...policy, weights: { size: 0 } });
    expect(figures['score']).toBeCloseTo(15, 9);
    expect(figures['model']).toMatchObject({ origin: 'default', overridden: ['size'], coefficients: { size: 0 } });
    expect((figures['model'] as { id: string }).id).not.toBe(defaultModel.id);
  });
});

describe('what is not known', () => {
  it('is named with its reason, and counts as nothing in the score', () => {
    const { sensitive: _, lines: __, ...rest } = CALM;
    const found = assessRisk({ ...rest, unknown: { alerts: 'no answer', size: 'Git is down' } }, policy);
    expect(found.score).toBeCloseTo(15, 9);
    expect(found.figures['missing']).toEqual(['size', 'sensitive paths', 'alerts']);
    expect(found.figures['unknown']).toMatchObject([
      { key: 'size', why: 'Git is down', atMost: 0.8 },
      { key: 'sensitivePaths', why: 'not given', atMost: 0.7 },
      { key: 'alerts', why: 'no answer', atMost: 0.6 },
    ]);
    expect(found.reasons.at(-1)).toBe('not known, so not counted: size, sensitive paths, alerts');
  });

  it('is taken at its worst for the level: an outage asks for a person where a bad answer would have', () => {
    const { lines: _, ...rest } = CALM;
    const found = assessRisk({ ...rest, unknown: { size: 'Git is down' } }, policy);
    // -1.735 + 0.8 = -0.935: 28.2 %.
    expect(found).toMatchObject({ answer: 'needs-approval', level: 'high' });
    expect(found.reasons[0]).toBe('risk 15.0 of 100, high as it could be 28.2; above 25 a person must agree');
    expect(assessRisk({ ...CALM, unknown: { time: 'no clock' } }, policy).answer).toBe('pass');
  });

  it('is not missed where nobody asked for it', () => {
    const { figures } = assessRisk(CALM, policy);
    expect(figures['missing']).toEqual([]);
    expect(figures['notAsked']).toContain('alerts');
    // Known: 0.8 + 0.3 + 0.5 + 0.5 + 0.7 + 0.6 + 0.3 + 1.5 + 2 = 7.2 of 12.2.
    expect(figures['coverage']).toBeCloseTo(7.2 / 12.2, 9);
  });

  it('among several probes hides behind none that is fine, but not behind one that is red', () => {
    const fine = { name: 'a', value: 1, below: 0.5 };
    const red = { name: 'b', value: 0, below: 0.5 };
    const missing = { name: 'c', below: 0.5, why: 'no data' };
    expect(contribution({ ...CALM, dependencies: [fine, missing] }, 'dependencies')).toBeUndefined();
    expect(contribution({ ...CALM, dependencies: [fine, red, missing] }, 'dependencies')).toMatchObject({
      strength: 1,
    });
  });
});

describe('what follows from a level', () => {
  const demanding: RiskPolicy = {
    approvalAbove: 60,
    levels: { medium: 10, high: 25 },
    quorum: { medium: 1, high: 2 },
    soakMs: { medium: 600_000, high: 3_600_000 },
  };

  it.each([
    [{ deployments: 90, failures: 0 }, 'low', 'pass', undefined, undefined],
    [{ deployments: 5, failures: 0 }, 'medium', 'needs-approval', { quorum: 1 }, 600_000],
    [{ deployments: 10, failures: 5 }, 'high', 'needs-approval', { quorum: 2 }, 3_600_000],
  ])('with a history of %j it is %s', (history, level, answer, approval, soakMs) => {
    const found = assessRisk({ ...CALM, history }, demanding);
    expect({ level: found.level, answer: found.answer, approval: found.approval, soakMs: found.soakMs }).toEqual({
      level,
      answer,
      approval,
      soakMs,
    });
  });

  it('begins at its limits: medium from 10 on, high above 25', () => {
    const at = (medium: number, high: number) =>
      assessRisk(CALM, { approvalAbove: 100, levels: { medium, high } }).level;
    const exactly = score(CALM);
    expect(at(exactly, 50)).toBe('medium');
    expect(at(exactly + 0.001, 50)).toBe('low');
    expect(at(10, exactly)).toBe('medium');
    expect(at(10, exactly - 0.001)).toBe('high');
  });
});

describe('a hard rule', () => {
  const upgrade = { name: 'cluster upgrade', above: 0, deny: true };

  it('denies, whatever the score is', () => {
    const found = assessRisk({ ...CALM, infrastructure: [{ ...upgrade, value: 1 }] }, { approvalAbove: 99 });
    expect(found).toMatchObject({
      answer: 'deny',
      reasons: ['cluster upgrade 1 is above 0', expect.anything(), expect.anything()],
    });
  });

  it('that cannot be read is waited for', () => {
    const found = assessRisk({ ...CALM, infrastructure: [{ ...upgrade, why: 'no answer' }] }, { approvalAbove: 99 });
    expect(found).toMatchObject({ answer: 'unknown' });
    expect(found.reasons[0]).toBe('cluster upgrade could not be read: no answer');
  });

  it('that is kept changes nothing', () => {
    expect(assessRisk({ ...CALM, infrastructure: [{ ...upgrade, value: 0 }] }, policy).answer).toBe('pass');
  });
});

describe('the score, whatever is known', () => {
  const amount = fc.nat({ max: 100_000 });
  const share = fc.double({ min: -1, max: 2, noNaN: true });
  const known = fc.record({
    lines: amount,
    files: amount,
    directories: amount,
    commits: amount,
    sensitive: fc.subarray(['RBAC', 'secret']),
    configAndImage: fc.boolean(),
    versionJump: fc.constantFrom('none' as const, 'patch' as const, 'minor' as const, 'major' as const),
    authors: fc.nat(9).chain((all) => fc.record({ all: fc.constant(all + 1), unfamiliar: fc.nat(all + 1) })),
    history: fc
      .nat(200)
      .chain((deployments) => fc.record({ deployments: fc.constant(deployments), failures: fc.nat(deployments) })),
    hoursSinceFailure: fc.oneof(amount, fc.constant('none' as const)),
    daysSinceDeployment: fc.nat(90),
    alertsFiring: fc.nat(5),
    previousResult: fc.constantFrom('pass' as const, 'warning' as const),
    previousSoak: fc.record({ ranMs: amount, expectedMs: fc.constant(50_000) }),
    budgetRemaining: share,
    dependencies: fc.array(fc.record({ name: fc.constant('d'), value: share, below: fc.constant(0.5) }), {
      minLength: 1,
      maxLength: 3,
    }),
    infrastructure: fc.array(fc.record({ name: fc.constant('i'), value: share, above: fc.constant(0) }), {
      minLength: 1,
      maxLength: 3,
    }),
    localMinuteOfWeek: fc.nat(10_079),
    hoursToFreeze: fc.nat(24),
    selfApproved: fc.boolean(),
    rollback: fc.boolean(),
    noDifference: fc.boolean(),
  });
  const strengthOf = (signals: RiskSignals, key: RiskSignalKey) =>
    SIGNALS.find((signal) => signal.key === key)?.look(signals)?.strength ?? Number.NaN;

  it('knows every signal of the catalogue in these', () => {
    fc.assert(fc.property(known, (signals) => SIGNALS.every(({ look }) => look(signals) !== undefined)));
  });

  it('is bounded and adds up', () => {
    fc.assert(
      fc.property(known, (signals) => {
        const scored = scoreRisk(signals, defaultModel);
        expect(scored.score).toBeGreaterThan(0);
        expect(scored.score).toBeLessThan(100);
        expect(scored.coverage).toBeCloseTo(1, 12);
        const total = scored.contributions.reduce((sum, { logit }) => sum + logit, scored.base.logit);
        expect(100 / (1 + Math.exp(-total))).toBeCloseTo(scored.score, 9);
        for (const { strength } of scored.contributions) expect(strength >= 0 && strength <= 1).toBe(true);
      }),
    );
  });

  it.each(SIGNALS)('moves with $name in one direction only', ({ key }) => {
    fc.assert(
      fc.property(known, known, (one, other) => {
        // The same change, but for what this signal looks at.
        const fields = FIELDS[key];
        const others: RiskSignals = other;
        const changed = { ...one, ...Object.fromEntries(fields.map((field) => [field, others[field]])) };
        const [a, b] = [one, changed].map((signals) => ({ x: strengthOf(signals, key), score: score(signals) }));
        const [weaker, stronger] = (a?.x ?? 0) <= (b?.x ?? 0) ? [a, b] : [b, a];
        if (raises(key)) expect(stronger?.score).toBeGreaterThanOrEqual((weaker?.score ?? 101) - 1e-9);
        else expect(stronger?.score).toBeLessThanOrEqual((weaker?.score ?? -1) + 1e-9);
      }),
    );
  });

  it('never takes a lower level because something is no longer known', () => {
    fc.assert(
      fc.property(known, fc.subarray(SIGNALS.map(({ key }) => key)), (signals, lost) => {
        const fewer: RiskSignals = { ...signals, unknown: Object.fromEntries(lost.map((key) => [key, 'an outage'])) };
        for (const field of lost.flatMap((key) => FIELDS[key])) delete fewer[field];
        const [before, after] = [assessRisk(signals, policy), assessRisk(fewer, policy)];
        expect(LEVELS.indexOf(after.level)).toBeGreaterThanOrEqual(LEVELS.indexOf(before.level));
        const asked = ['needs-approval', 'unknown'];
        if (before.answer === 'needs-approval') expect(asked).toContain(after.answer);
      }),
    );
  });
});

/** What each signal looks at. */
const FIELDS: Record<RiskSignalKey, (keyof RiskSignals)[]> = {
  size: ['lines'],
  files: ['files'],
  diffusion: ['directories'],
  batch: ['commits'],
  sensitivePaths: ['sensitive'],
  configAndImage: ['configAndImage'],
  versionJump: ['versionJump'],
  familiarity: ['authors'],
  recentFailure: ['hoursSinceFailure'],
  lastDeployment: ['daysSinceDeployment'],
  alerts: ['alertsFiring'],
  previousStage: ['previousResult'],
  previousSoak: ['previousSoak'],
  errorBudget: ['budgetRemaining'],
  dependencies: ['dependencies'],
  infrastructure: ['infrastructure'],
  time: ['localMinuteOfWeek'],
  freeze: ['hoursToFreeze'],
  selfApproval: ['selfApproved'],
  rollback: ['rollback'],
  noDifference: ['noDifference'],
};
