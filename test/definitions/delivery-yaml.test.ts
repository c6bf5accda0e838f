import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/definitions/delivery.ts';
import { crossCheck } from '../../src/definitions/delivery-cross-check.ts';
import { deliverySchema } from '../../src/definitions/delivery-schema.ts';
import { parseDelivery } from '../../src/definitions/delivery-yaml.ts';
import { sayProblem } from '../../src/definitions/problem.ts';
import { validator } from '../../src/definitions/validate.ts';

const head = 'apiVersion: lynceus.dev/v1\nkind: Delivery\nmetadata: {name: podtato}\n';

/** A delivery of the given stages, each in flow style so that columns are easy to count. */
const of = (...stages: string[]) => `${head}spec:\n  stages:\n${stages.map((stage) => `    - {${stage}}\n`).join('')}`;

function read(text: string): Delivery {
  const parsed = parseDelivery(text, 'delivery.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
  return parsed.value;
}

function problems(text: string): string[] {
  const parsed = parseDelivery(text, 'delivery.yaml');
  return parsed.ok ? [] : parsed.problems.map(sayProblem);
}

describe('a delivery.yaml', () => {
  it('says what a delivery is', () => {
    const text = `${head}spec:
  repository: {url: "https://github.com/acme/podtato-deploy"}
  services: [podtato-head]
  stages:
    - name: dev
      branch: stage/dev
      sync: automatic
      tests:
        - http:
            {path: /cart, method: POST, headers: {X-Team: a}, requests: 500, concurrency: 20,
             expect: {status: [200, 201], latency: {p95: 300ms}, errorRate: 1%}}
        - http: {duration: 1m}
      evaluation: {slo: slo.yaml, sli: prometheus/sli.yaml, window: 15m, compareWith: {lastPassed: 3}, provider: main}
      soak: 30m
      promotion: {onPass: automatic, onWarning: manual}
    - name: staging
      branch: stage/staging
      sync: gated
      prune: true
      checks:
        errorBudget:
          {errorRatio: "rate(e[$WINDOW])", target: 99.9%, window: 30d, minimumRemaining: 20%, approvalBelow: 0.5,
           maximumBurnRate: {6h: 6, 1h: 14.4}, onMissingData: needs-approval, provider: main}
        risk: {approvalAbove: 20, denyAbove: 60}
        windows: [{deny: "FR 15:00/MO 07:00", timeZone: Europe/Vienna, reason: weekend freeze}]
      approval: {quorum: 2, groups: [approvers], expires: 2d}
      rollout: {settle: 30s, timeout: 20m}
`;
    expect(read(text)).toEqual({
      name: 'podtato',
      repository: { url: 'https://github.com/acme/podtato-deploy' },
      services: ['podtato-head'],
      stages: [
        {
          name: 'dev',
          branch: 'stage/dev',
          sync: 'automatic',
          prune: false,
          checks: { windows: [] },
          rollout: { settleMs: 10_000, timeLimitMs: 600_000 },
          tests: [
            {
              kind: 'http',
              path: '/cart',
              method: 'POST',
              headers: { 'X-Team': 'a' },
              connections: 20,
              requests: 500,
              expect: { status: [200, 201], latency: { p95: 300 }, errorRate: 0.01 },
            },
            {
              kind: 'http',
              path: '/',
              method: 'GET',
              headers: {},
              connections: 10,
              durationMs: 60_000,
              expect: { status: [200], latency: {}, errorRate: 0 },
            },
          ],
          evaluation: {
            slo: 'slo.yaml',
            sli: ['prometheus/sli.yaml'],
            windowMs: 900_000,
            compareWith: { lastPassed: 3 },
            provider: 'main',
          },
          soakMs: 1_800_000,
          promotion: { to: ['staging'], onPass: 'automatic', onWarning: 'manual' },
        },
        {
          name: 'staging',
          branch: 'stage/staging',
          sync: 'gated',
          prune: true,
          checks: {
            errorBudget: {
              errorRatio: 'rate(e[$WINDOW])',
              target: 0.999,
              windowMs: 2_592_000_000,
              provider: 'main',
              minimumRemaining: 0.2,
              approvalBelow: 0.5,
              maximumBurnRate: [
                { windowMs: 3_600_000, factor: 14.4 },
                { windowMs: 21_600_000, factor: 6 },
              ],
              confidence: 0.95,
              exempt: ['rollback', 'fix', 'security'],
              onMissingData: 'needs-approval',
            },
            risk: { approvalAbove: 20, denyAbove: 60 },
            windows: [
              {
                kind: 'deny',
                spans: [{ start: 6660, end: 420 }],
                timeZone: 'Europe/Vienna',
                reason: 'weekend freeze',
                text: 'FR 15:00/MO 07:00',
              },
            ],
          },
          approval: { quorum: 2, groups: ['approvers'], expiresAfterMs: 172_800_000 },
          rollout: { settleMs: 30_000, timeLimitMs: 1_200_000 },
          tests: [],
        },
      ],
    });
  });

  it('promotes nothing that it does not say', () => {
    expect(read(of('name: dev', 'name: prod, branch: prod')).stages[0]).not.toHaveProperty('promotion');
  });

  it('leads to several stages, and from them to one that waits for all', () => {
    const { stages } = read(
      of(
        'name: dev, promotion: {to: [eu, us]}',
        'name: eu, branch: eu, promotion: {to: z}',
        'name: us, branch: us, promotion: {to: z, order: queue, conflicts: takeVerified}',
        'name: z, branch: z',
      ),
    );
    expect(stages[1]?.promotion).toEqual({ to: ['z'], onPass: 'manual', onWarning: 'none' });
    expect(stages[2]?.promotion).toMatchObject({ order: 'queue', conflicts: 'takeVerified' });
  });

  it('promotes in windows, which are checked like others', () => {
    const { stages } = read(
      of('name: dev, promotion: {windows: [{deny: "FR 15:00/MO 07:00", reason: weekend}]}', 'name: prod, branch: prod'),
    );
    expect(stages[0]?.promotion?.windows).toMatchObject([{ kind: 'deny', reason: 'weekend', timeZone: 'UTC' }]);
    expect(problems(of('name: dev, promotion: {windows: [{reason: x}]}', 'name: prod, branch: prod'))).toEqual([
      expect.stringContaining('spec.stages[0].promotion.windows[0] needs "deny" or "allow"'),
    ]);
  });

  it('promotes to the next stage, by a pull request that a person approves, when it only says promotion', () => {
    const { stages } = read(of('name: dev, promotion: {}', 'name: prod, branch: prod'));
    expect(stages[0]?.promotion).toEqual({ to: ['prod'], onPass: 'manual', onWarning: 'none' });
  });

  it('may promote over a stage', () => {
    const { stages } = read(of('name: dev, promotion: {to: prod}', 'name: qa', 'name: prod, branch: prod'));
    expect(stages[0]?.promotion?.to).toEqual(['prod']);
    const both = read(of('name: dev, promotion: {to: [eu, us]}', 'name: eu, branch: eu', 'name: us, branch: us'));
    expect(both.stages[0]?.promotion?.to).toEqual(['eu', 'us']);
  });

  it('sends 200 requests when a test says neither how many nor how long', () => {
    expect(read(of('name: dev, tests: [{http: {}}]')).stages[0]?.tests[0]).toMatchObject({
      requests: 200,
      connections: 10,
    });
  });

  it('asks for a person above 25 when risk says no number, and waits for missing data', () => {
    const budget = 'errorBudget: {openslo: slo/openslo.yaml}';
    expect(read(of(`name: dev, checks: {risk: {}, ${budget}}`)).stages[0]?.checks).toEqual({
      risk: { approvalAbove: 25 },
      errorBudget: {
        openslo: 'slo/openslo.yaml',
        minimumRemaining: 0,
        approvalBelow: 0.25,
        maximumBurnRate: [],
        standardBurnRates: true,
        confidence: 0.95,
        exempt: ['rollback', 'fix', 'security'],
        onMissingData: 'wait',
      },
      windows: [],
    });
  });

  it('reports every mistake at once, in order, each with its place and what would be right', () => {
    const text = `apiVersion: lynceus.dev/v2
kind: Delivery
metadata: {name: Podtato}
spec:
  servces: [a]
  stages:
    - name: dev
      sync: gatd
      soak: 30 minutes
      promotion: {to: stagin}
    - name: staging
      promotion: {}
`;
    expect(problems(text)).toEqual([
      'delivery.yaml:1:13 apiVersion must be "lynceus.dev/v1", got "lynceus.dev/v2"',
      'delivery.yaml:3:18 metadata.name "Podtato" is not a name (a lower-case letter, then lower-case letters, digits and "-", at most 63)',
      'delivery.yaml:5:3 spec unknown property "servces", did you mean "services"?',
      'delivery.yaml:8:13 spec.stages[0].sync must be one of "automatic", "gated", got "gatd", did you mean "gated"?',
      'delivery.yaml:9:13 spec.stages[0].soak "30 minutes" is not a duration such as 30s, 15m, 1h30m or 7d',
      'delivery.yaml:10:23 spec.stages[0].promotion.to there is no stage "stagin", did you mean "staging"?',
      'delivery.yaml:12:18 spec.stages[1].promotion there is no stage after this one: remove "promotion" or name a stage with "to"',
    ]);
  });

  it.each([
    ['two stages of one name', of('name: dev', 'name: dev'), '7:14 spec.stages[1].name there is a stage "dev" already'],
    ['a promotion to itself', of('name: dev, promotion: {to: dev}'), 'cannot be promoted to itself'],
    ['a promotion backwards', of('name: a', 'name: b, promotion: {to: a}'), 'comes before this one'],
    [
      'stages that promote to one and have nothing in common',
      of('name: a, promotion: {to: z}', 'name: b, promotion: {to: z}', 'name: z, branch: z'),
      'stages "a" and "b" both promote to "z", but no change reaches both',
    ],
    [
      'one of several that no change reaches',
      of(
        'name: dev, promotion: {to: [eu, us]}',
        'name: eu, branch: eu, promotion: {to: z}',
        'name: us, branch: us, promotion: {to: z}',
        'name: lab, promotion: {to: z}',
        'name: z, branch: z',
      ),
      '9:30 spec.stages[3].promotion stages "eu" and "lab" both promote to "z"',
    ],
    ['a target without a branch', of('name: dev, promotion: {}', 'name: prod'), 'stage "prod" has no "branch"'],
    [
      'an unknown time zone',
      of('name: a, checks: {windows: [{deny: "22:00/06:00", timeZone: Europe/Wien}]}'),
      '"Europe/Wien" is not a time zone',
    ],
    ['a window that is none', of('name: a, checks: {windows: [{deny: "friday"}]}'), '"friday" is not a window like'],
    [
      'a window that neither allows nor denies',
      of('name: a, checks: {windows: [{reason: x}]}'),
      'needs "deny" or "allow"',
    ],
    [
      'a window that does both',
      of('name: a, checks: {windows: [{allow: "08:00/09:00", deny: "08:00/09:00"}]}'),
      'both "deny" and "allow"',
    ],
    [
      'requests and a duration',
      of('name: a, tests: [{http: {requests: 1, duration: 1m}}]'),
      'has both "requests" and "duration"',
    ],
    [
      'a kind of test that is not there yet',
      of('name: a, tests: [{k6: {script: a.js}}]'),
      '6:26 spec.stages[0].tests[0] unknown kind of test "k6", known: http',
    ],
    ['a test without a kind', of('name: a, tests: [{}]'), '"http" is missing'],
    [
      'a path that leaves the application',
      of('name: a, tests: [{http: {path: "http://other"}}]'),
      'is not a path that starts with "/"',
    ],
    [
      'a status that there is not',
      of('name: a, tests: [{http: {expect: {status: [999]}}}]'),
      'expect.status[0] must be <= 599',
    ],
    [
      'a budget without a target',
      of('name: a, checks: {errorBudget: {minimumRemaining: 20%}}'),
      '(missing: errorRatio, target, window)',
    ],
    [
      'a budget of two tools',
      of('name: a, checks: {errorBudget: {sloth: a, pyrra: {slo: b}}}'),
      'has both "sloth" and "pyrra"',
    ],
    [
      'a budget by labels of nothing',
      of('name: a, checks: {errorBudget: {pyrra: {team: b}}}'),
      'needs the label "slo"',
    ],
    [
      'a choice among no objectives',
      of('name: a, checks: {errorBudget: {sloth: a, objective: b}}'),
      '"objective" chooses one of an OpenSLO file',
    ],
    [
      'a budget that is sure of nothing',
      of('name: a, checks: {errorBudget: {sloth: a, confidence: 50%}}'),
      'above 50%',
    ],
    [
      'a number of events without a range',
      of('name: a, checks: {errorBudget: {sloth: a, total: "sum(x)"}}'),
      'must contain $WINDOW',
    ],
    [
      'a budget with two targets',
      of('name: a, checks: {errorBudget: {openslo: o.yaml, target: 0.9}}'),
      '"target" is in the OpenSLO file already',
    ],
    [
      'a burn rate for a query of one window',
      of('name: a, checks: {errorBudget: {errorRatio: x, target: 0.9, window: 1d, maximumBurnRate: {1h: 2}}}'),
      'must contain $WINDOW',
    ],
    [
      'a burn rate over more than the budget',
      of(
        'name: a, checks: {errorBudget: {errorRatio: "x[$WINDOW]", target: 0.9, window: 1h, maximumBurnRate: {2h: 2}}}',
      ),
      '"2h" is longer than the window',
    ],
    [
      'a target of 100 %',
      of('name: a, checks: {errorBudget: {errorRatio: "x[$WINDOW]", target: 1, window: 1h}}'),
      'must be a target below 1',
    ],
    [
      'a denial below the approval',
      of('name: a, checks: {risk: {approvalAbove: 50, denyAbove: 40}}'),
      'must not be below approvalAbove (50)',
    ],
    ['no approver at all', of('name: a, approval: {quorum: 0}'), 'must be >= 1'],
    ['a file outside of its folder', of('name: a, evaluation: {slo: ../../etc/passwd}'), 'is not a file in the folder'],
    ['an absolute file', of('name: a, evaluation: {slo: /etc/passwd}'), 'is not a file in the folder'],
    ['a branch that Git would refuse', of('name: a, branch: "a..b"'), 'is not a branch'],
    ['an unknown reaction to a failure', of('name: a, onFailure: revert'), 'must be "none", "rollback" or a mapping'],
    ['an unknown way back', of('name: a, onFailure: {rollback: {by: push}}'), 'must be one of "auto", "pullRequest"'],
    ['a mistyped key', of('name: a, onFailure: {rollback: {merg: manual}}'), 'did you mean "merge"?'],
    [
      'a revert that has no branch to go to',
      of('name: a, onFailure: {rollback: {by: pullRequest}}'),
      'needs the "branch" of the stage',
    ],
    [
      'a rollback by sync where Argo CD syncs by itself',
      of('name: a, onFailure: {rollback: {by: sync}}'),
      'needs "sync: gated"',
    ],
    [
      'a merge where no pull request is opened',
      of('name: a, sync: gated, onFailure: {rollback: {by: sync, merge: manual}}'),
      '"by: sync" opens none',
    ],
    ['no stages', `${head}spec: {stages: []}`, 'must have at least 1 entry'],
    ['a list instead of a mapping', '[1, 2]', 'must be the stages of a delivery'],
    ['a duration without end', of('name: a, soak: 9999d'), 'is not a duration'],
    ['a duration of nothing', of('name: a, soak: 0s'), 'is not a duration'],
    [
      'a ratio above one',
      of('name: a, tests: [{http: {expect: {errorRate: 120%}}}]'),
      'must be a share such as 20% or 0.2',
    ],
  ])('with %s is refused', (_what, text, message) => {
    expect(problems(text).join('\n')).toContain(message);
  });

  it('says a mistake once', () => {
    expect(problems(of('name: a, tests: [{k6: {}}]'))).toHaveLength(1);
    expect(problems(of('name: a, onFailure: revert'))).toHaveLength(1);
    expect(problems(of('name: a, onFailure: {rollback: {by: push}}'))).toHaveLength(1);
  });

  it.each([
    ['a header', of('name: a, tests: [{http: {headers: {Authorization: [hunter2]}}}]')],
    ['a header over two lines', of('name: a, tests: [{http: {headers: {Authorization: "hunter2\\nx"}}}]')],
    ['a repository URL', `${head}spec: {repository: {url: "https://me:hunter2@host/x"}, stages: [{name: a}]}`],
    [
      'a repository URL with a blank',
      `${head}spec: {repository: {url: "https://me:hunter2@host/ x"}, stages: [{name: a}]}`,
    ],
  ])('never repeats what may be a secret in %s', (_where, text) => {
    expect(problems(text)).not.toEqual([]);
    expect(problems(text).join('\n')).not.toContain('hunter2');
  });

  it('accepts a user name in the URL of a repository over SSH', () => {
    const text = `${head}spec: {repository: {url: "ssh://git@github.com/acme/x"}, stages: [{name: a}]}`;
    expect(read(text).repository?.url).toBe('ssh://git@github.com/acme/x');
  });

  it('never throws, whatever is in it', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'name',
            'promotion',
            'to',
            'checks',
            'windows',
            'deny',
            'errorBudget',
            'maximumBurnRate',
            'tests',
            'http',
            'expect',
            'repository',
            'url',
            'constructor',
          ),
          tie('value'),
          { maxKeys: 4 },
        ),
      ),
    })).value;
    fc.assert(
      fc.property(json, (stages) => {
        const text = JSON.stringify({
          apiVersion: 'lynceus.dev/v1',
          kind: 'Delivery',
          metadata: { name: 'a' },
          spec: { stages },
        });
        const parsed = parseDelivery(text, 'delivery.yaml');
        expect(parsed.ok || parsed.problems.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !parseDelivery(text, 'delivery.yaml').ok));
  });

  it('that is full of mistakes takes no more looks the longer it is', () => {
    const mistakes = (stages: number) => ({
      stages: Array.from({ length: stages }, () => ({ sync: 'x', promotion: {} })),
    });
    /** How often it was asked where something stands: each mistake that is looked at closely asks once. */
    const looks = (stages: number) => {
      let asked = 0;
      const place = () => ({ line: 1, column: ++asked });
      const document = { file: 'delivery.yaml', value: { spec: mistakes(stages) }, place };
      validator(deliverySchema)(document);
      crossCheck(document);
      return asked;
    };
    expect(looks(4_750)).toBe(looks(1_000));
    expect(problems(`${head}spec: ${JSON.stringify(mistakes(4_750))}`)).toHaveLength(50);
    // Before a single mistake is looked for.
    const tooMany = `${head}spec: {stages: [${'{},'.repeat(20_001)}]}`;
    expect(problems(tooMany)).toEqual(['delivery.yaml:1:1 the file holds more than 20000 values, aliases included']);
  });

  it('has a JSON Schema that can be published', () => {
    const published = JSON.parse(JSON.stringify(deliverySchema));
    expect(published).toMatchObject({
      $schema: expect.stringContaining('2020-12'),
      type: 'object',
      required: ['apiVersion', 'kind', 'metadata', 'spec'],
    });
  });
});
