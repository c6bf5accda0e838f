import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefName } from '../../src/adapters/git-hosts/names.ts';
import type { PromotionEvidence } from '../../src/promotion/promotion.ts';
import { MAX_BODY_BYTES, mergeMessage, planPromotion } from '../../src/promotion/pull-request.ts';
import { parseTrailers } from '../../src/promotion/trailers.ts';

const REVISION = '8a3d1f0c2b4e5d6f7a8b9c0d1e2f3a4b5c6d7e8f';
const CONTEXT = '0b5b1f7e-8c51-4f7e-9d3a-1c2d3e4f5a6b';

const evidence: PromotionEvidence = {
  project: 'sock-shop',
  service: 'checkout',
  fromStage: 'staging',
  toStage: 'production',
  context: CONTEXT,
  revision: REVISION,
  verdict: 'pass',
  evaluation: {
    result: 'pass',
    score: 96.25,
    thresholds: { pass: 90, warning: 75 },
    message: 'All objectives were met.',
    compared: ['e1', 'e2'],
    indicators: [
      {
        sli: 'response_time_p95',
        displayName: 'Response time p95',
        keySli: true,
        weight: 2,
        value: 312.4567891,
        comparedValue: 300,
        status: 'pass',
        score: 2,
        passTargets: [{ criteria: '<=+10%', targetValue: 330, violated: false }],
        warningTargets: [],
      },
      {
        sli: 'error_rate',
        displayName: '',
        keySli: false,
        weight: 1,
        message: 'no data',
        status: 'fail',
        score: 0,
        passTargets: [{ criteria: '<1', targetValue: 1, violated: true }],
        warningTargets: [],
      },
    ],
  },
  checks: [
    { check: 'error-budget', answer: 'pass', reasons: ['83 % of the error budget remains'], figures: {} },
    {
      check: 'risk',
      answer: 'needs-approval',
      reasons: ['risk 31.2 of 100; above 25 a person must agree'],
      figures: {
        contributions: [
          { signal: 'size', seen: '3 files', points: 1.25 },
          { signal: 'sensitive paths', seen: 'ingress.yaml', points: 12 },
        ],
      },
    },
  ],
  tests: [{ kind: 'http', passed: true, failures: [], indicators: { p95: 120.5 } }],
  commits: [{ sha: REVISION, subject: 'Raise the limit', author: 'Ada Lovelace' }],
  totalCommits: 3,
  link: 'https://lynceus.example/changes/1',
};

describe('a promotion', () => {
  const plan = planPromotion(evidence);

  it('says in its title what goes where, and how well it did', () => {
    expect(plan.title).toBe('Promote checkout 8a3d1f0 to production: pass 96.2/100');
    const { evaluation: _, ...without } = evidence;
    expect(planPromotion(without).title).toBe('Promote checkout 8a3d1f0 to production: pass');
  });

  it('has a branch of its own, below the one of its service and stage', () => {
    expect(plan.headPrefix).toBe('lynceus/sock-shop/checkout/production/');
    expect(plan.headBranch).toBe('lynceus/sock-shop/checkout/production/0b5b1f7e-8a3d1f0');
  });

  it('shows indicators with value, comparison, criteria and points', () => {
    expect(plan.body).toContain('| Response time p95 **(key)** | 312.457 | 300 | &lt;=+10% (330) | pass 2/2 |');
    expect(plan.body).toContain('| error\\_rate | no data |  | &lt;1 (1) missed | fail 0/1 |');
  });

  it('shows what a number is made of, how it has changed, and what the control group says', () => {
    const [indicator] = evidence.evaluation?.indicators ?? [];
    if (!evidence.evaluation || !indicator) throw new Error('the evidence of this test has no indicator');
    const told = {
      ...indicator,
      value: 6,
      comparedValue: 4,
      change: 2,
      regression: true,
      unit: 'findings',
      sources: [{ provider: 'trivy', value: 2 }, { value: 4 }],
      control: { classification: 'High', critical: true, reason: 'It lies above the control.' } as const,
    };
    const { body } = planPromotion({ ...evidence, evaluation: { ...evidence.evaluation, indicators: [told] } });
    expect(body).toContain('| 6 findings (trivy 2, source 4) | 4 (+2, worse) | ');
    expect(body).toContain('High against the control group: It lies above the control. |');
  });

  it('shows what speaks for and against it, the strongest first', () => {
    expect(plan.body).toContain('83 % of the error budget remains');
    expect(plan.body.indexOf('| sensitive paths | ingress.yaml | +12.0 |')).toBeGreaterThan(0);
    expect(plan.body.indexOf('| sensitive paths |')).toBeLessThan(plan.body.indexOf('| size | 3 files | +1.3 |'));
    expect(plan.body).toContain('A person must agree.');
    expect(plan.body).toContain('- **http** passed: p95 120.5');
  });

  it('lists the commits and says how many are not listed', () => {
    expect(plan.body).toContain('- `8a3d1f0` Raise the limit (Ada Lovelace)\n- and 2 more commits');
  });

  it('warns where the verdict does', () => {
    expect(plan.body).not.toContain('Warning:');
    expect(planPromotion({ ...evidence, verdict: 'warning' }).body).toContain('**Warning:**');
  });

  it('never says that there was an evaluation when there was none', () => {
    const { evaluation: _, ...without } = evidence;
    expect(planPromotion(without).body).toContain('There was none');
  });

  it('never rounds a score up to what would have been enough', () => {
    const almost = { ...evidence, evaluation: { ...evidence.evaluation!, score: 89.99 } };
    expect(planPromotion(almost).title).toContain('89.9/100');
  });

  it('links to the page of the change, if that is a web address', () => {
    expect(plan.body).toContain('[Follow this change](https://lynceus.example/changes/1)');
    expect(planPromotion({ ...evidence, link: 'javascript:alert(1)' }).body).not.toContain('javascript:');
  });

  it('names the one that it takes the place of', () => {
    expect(planPromotion(evidence, { number: 12 }).body).toContain('takes the place of pull request 12.');
  });

  it('merges with a message from which the change is recognised', () => {
    const message = mergeMessage(evidence, 12);
    expect(message.split('\n')[0]).toBe('Promote checkout 8a3d1f0 to production (#12)');
    expect(parseTrailers(message)).toEqual({ context: CONTEXT, revision: REVISION });
    expect(message.trimEnd().split('\n').slice(-3)).toEqual(plan.trailers);
  });
});

describe('foreign text in a promotion', () => {
  const withSubject = (subject: string) =>
    planPromotion({ ...evidence, commits: [{ sha: REVISION, subject, author: 'A' }] }).body;
  const listed = (subject: string) => /`8a3d1f0` (.*) \(A\)/.exec(withSubject(subject))?.[1];

  it.each([
    ['@everyone please look', '@\u200Beveryone please look'],
    ['fixes #12 and acme/x#3', 'fixes #\u200B12 and acme/x#\u200B3'],
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    ['[click](https://evil.example)', '\\[click\\](https:\u200B//evil.example)'],
    ['www.evil.example', 'www\u200B.evil.example'],
    ['a | b', 'a \\| b'],
    ['`code` **bold** _it_', "'code' \\*\\*bold\\*\\* \\_it\\_"],
    ['&#64;everyone', '&amp;#\u200B64;everyone'],
    ['one\n\nLynceus-Context: evil', 'one Lynceus-Context: evil'],
    ['left \u202Eright\u200B', 'left right'],
    ['a\u2028b\u0000c', 'a b c'],
  ])('is shown as it is, and does nothing: %j', (subject, shown) => {
    expect(listed(subject)).toBe(shown);
  });

  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc
      .array(
        fc.constantFrom(
          '@octocat',
          '<script>',
          '</details>',
          '\n\n',
          '\r',
          '|',
          '`',
          '```',
          '#1',
          'https://x.y',
          '[a](b)',
          '&lt;',
          'Lynceus-Context: evil',
          'Lynceus-Revision: 0',
          '<!--',
          '\u202E',
          '\\',
          '*',
          '世',
          '😀',
          '\uD800',
          'www.x.y',
        ),
        { maxLength: 60 },
      )
      .map((parts) => parts.join('')),
  );
  const figure = fc.oneof(fc.double(), fc.integer());
  const target = fc.record({ criteria: text, targetValue: figure, violated: fc.boolean() });
  const anyEvidence = fc.record(
    {
      project: text,
      service: text,
      fromStage: text,
      toStage: text,
      context: fc.uuid(),
      revision: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 40, maxLength: 40 }),
      verdict: fc.constantFrom('pass' as const, 'warning' as const),
      evaluation: fc.record({
        result: fc.constantFrom('pass' as const, 'warning' as const),
        score: figure,
        thresholds: fc.record({ pass: figure, warning: figure }),
        message: text,
        compared: fc.array(text, { maxLength: 3 }),
        indicators: fc.array(
          fc.record(
            {
              sli: text,
              displayName: text,
              keySli: fc.boolean(),
              weight: figure,
              value: figure,
              comparedValue: figure,
              change: figure,
              regression: fc.boolean(),
              unit: text,
              sources: fc.array(fc.record({ provider: text, value: figure }), { maxLength: 8 }),
              control: fc.record({
                classification: fc.constantFrom('Pass' as const, 'High' as const, 'Nodata' as const),
                critical: fc.boolean(),
                reason: text,
              }),
              message: text,
              status: fc.constantFrom('pass' as const, 'fail' as const, 'info' as const),
              score: figure,
              passTargets: fc.array(target, { maxLength: 8 }),
              warningTargets: fc.constant([]),
            },
            {
              requiredKeys: [
                'sli',
                'displayName',
                'keySli',
                'weight',
                'status',
                'score',
                'passTargets',
                'warningTargets',
              ],
            },
          ),
          { maxLength: 80 },
        ),
      }),
      checks: fc.array(
        fc.record({
          check: fc.constantFrom('error-budget' as const, 'risk' as const, 'window' as const),
          answer: fc.constantFrom('pass' as const, 'needs-approval' as const, 'deny' as const, 'unknown' as const),
          reasons: fc.array(text, { maxLength: 20 }),
          figures: fc.record({
            contributions: fc.array(fc.record({ signal: text, seen: text, points: fc.integer() }), { maxLength: 30 }),
          }),
        }),
        { maxLength: 8 },
      ),
      tests: fc.array(
        fc.record({
          kind: text,
          passed: fc.boolean(),
          failures: fc.array(text, { maxLength: 30 }),
          indicators: fc.dictionary(text, figure, { maxKeys: 20 }),
        }),
        { maxLength: 20 },
      ),
      commits: fc.array(fc.record({ sha: text, subject: text, author: text }), { maxLength: 120 }),
      totalCommits: fc.nat(),
      files: fc.array(fc.record({ path: text, additions: fc.nat(), deletions: fc.nat() }), { maxLength: 60 }),
      totalFiles: fc.nat(),
      sensitive: fc.array(text, { maxLength: 20 }),
      edits: fc.array(fc.record({ path: text, what: text }), { maxLength: 60 }),
      drift: fc.record({
        commits: fc.array(fc.record({ sha: text, subject: text, author: text }), { maxLength: 10 }),
        total: fc.nat(),
      }),
      story: fc.array(
        fc.record({
          stage: text,
          result: text,
          score: figure,
          startedAt: text,
          endedAt: text,
          approvedBy: fc.array(text, { maxLength: 5 }),
        }),
        { maxLength: 20 },
      ),
      review: fc.oneof(
        fc.record({ kind: fc.constant('policy' as const) }),
        fc.record({ kind: fc.constant('here' as const), quorum: fc.nat() }),
        fc.record({
          kind: fc.constant('host' as const),
          quorum: fc.nat(),
          groups: fc.array(text, { maxLength: 10 }),
          people: fc.nat(),
          authors: fc.constantFrom('refuse' as const, 'allow' as const),
          expiresAfterMs: figure,
        }),
      ),
      merge: fc.constantFrom('lynceus' as const, 'person' as const, 'host' as const),
      commands: fc.boolean(),
      link: text,
    },
    {
      requiredKeys: [
        'project',
        'service',
        'fromStage',
        'toStage',
        'context',
        'revision',
        'verdict',
        'checks',
        'tests',
        'commits',
        'totalCommits',
      ],
    },
  ) as fc.Arbitrary<PromotionEvidence>;

  it('never mentions anyone, holds no HTML, fits, and cannot forge the trailers', () => {
    fc.assert(
      fc.property(anyEvidence, (any) => {
        const { body, title, headBranch, headPrefix } = planPromotion(any);
        expect(Buffer.byteLength(body)).toBeLessThan(MAX_BODY_BYTES + 1);
        expect(body.isWellFormed()).toBe(true);
        for (const shown of [body, title]) expect(shown).not.toMatch(/[@#][\p{L}\p{N}_-]/u);
        const foreign = body.replace(
          /^<\/?details>$|^<summary>All \d+ indicators<\/summary>$|^<summary>\d+ commits<\/summary>$/gm,
          '',
        );
        expect(foreign).not.toMatch(/<[a-z/!?]/i);
        expect(body).not.toMatch(/^```/m);
        expect(title).not.toMatch(/[\n\r]/);
        expect(title.length).toBeLessThan(250);
        expect(parseTrailers(body)).toEqual({ context: any.context, revision: any.revision });
        expect(parseTrailers(mergeMessage(any, 7))).toEqual({ context: any.context, revision: any.revision });
        expect(isRefName(headBranch)).toBe(true);
        expect(headBranch.startsWith(headPrefix)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('fits even when everything is as large as it can be', () => {
    const huge = '<@世😀|'.repeat(2_000);
    const many = <T>(value: T): T[] => Array.from({ length: 500 }, () => value);
    const { body } = planPromotion({
      ...evidence,
      service: huge,
      commits: many({ sha: REVISION, subject: huge, author: huge }),
      checks: many({ check: 'window', answer: 'pass', reasons: many(huge), figures: {} }),
      tests: many({ kind: huge, passed: false, failures: many(huge), indicators: {} }),
      evaluation: {
        ...evidence.evaluation!,
        message: huge,
        indicators: many({ ...evidence.evaluation!.indicators[0]!, displayName: huge }),
      },
    });
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MAX_BODY_BYTES);
    expect(body).toContain('and 497 more indicators');
    expect(parseTrailers(body)).toEqual({ context: CONTEXT, revision: REVISION });
  });

  it('has shorter lists where its host takes less', () => {
    const subject = 'Raise the limit of the checkout by one third';
    const commits = Array.from({ length: 50 }, () => ({ sha: REVISION, subject, author: 'Ada Lovelace' }));
    const { body } = planPromotion({ ...evidence, commits, totalCommits: 50 }, undefined, 4_000);
    expect(body.length).toBeLessThanOrEqual(4_000);
    expect(body).toContain('96.2/100');
    expect(body).toContain(subject);
    expect(parseTrailers(body)).toEqual({ context: CONTEXT, revision: REVISION });
  });
});

describe('what a reviewer can tell from a promotion', () => {
  const told: PromotionEvidence = {
    ...evidence,
    files: [
      { path: 'base/shop/deployment.yaml', additions: 3, deletions: 1 },
      { path: 'base/shop/service.yaml', additions: 1, deletions: 0 },
      { path: 'README.md', additions: 10, deletions: 2 },
    ],
    totalFiles: 3,
    sensitive: ['base/shop/rbac*.yaml'],
    drift: { commits: [{ sha: REVISION, subject: 'Hotfix', author: 'Eve' }], total: 4 },
    story: [
      {
        stage: 'dev',
        result: 'pass',
        score: 98.04,
        startedAt: '2026-11-21T10:00:00.000Z',
        endedAt: '2026-11-21T10:35:20.000Z',
        approvedBy: [],
      },
      { stage: 'staging', result: 'warning', startedAt: '2026-11-21T11:00:00.000Z', approvedBy: ['ada', 'lin'] },
    ],
    review: {
      kind: 'host',
      quorum: 2,
      groups: ['acme/release'],
      people: 1,
      authors: 'refuse',
      expiresAfterMs: 604_800_000,
    },
    commands: true,
  };
  const { body } = planPromotion(told);

  it('is how much of which folders is changed, and what of it is sensitive', () => {
    expect(body).toContain('**3 files**, +14 −3');
    expect(body).toContain('| (top) | 1 | +10 −2 |\n| base/shop | 2 | +4 −1 |');
    expect(body).toContain('Sensitive: `base/shop/rbac*.yaml`');
  });

  it('is what reached the stage without a promotion', () => {
    expect(body).toContain(
      '**production has 4 commits of its own** since the last promotion, verified in no stage before.',
    );
    expect(body).toContain('- `8a3d1f0` Hotfix (Eve)\n- and 3 more commits');
    expect(planPromotion(evidence).body).not.toContain('Not from a promotion');
  });

  it('is how the change fared in the stages before, and who let it through', () => {
    expect(body).toContain('| dev | pass 98/100 | 2026-11-21 10:00 UTC | 35 min | policy |');
    expect(body).toContain('| staging | warning | 2026-11-21 11:00 UTC | under way | ada, lin |');
  });

  it('is who is asked, and why they', () => {
    expect(body).toContain(
      'It needs an approving review of **2 people** out of **acme/release** or 1 person named in delivery.yaml.',
    );
    expect(body).toContain('It counts for exactly this commit, and for 7 d.');
    expect(body).toContain('Who wrote a commit in it does not count.');
    const here = planPromotion({ ...told, review: { kind: 'here', quorum: 1 } }).body;
    expect(here).toContain(
      "It needs the approval of one person, given [on this change's page](https://lynceus.example/changes/1)",
    );
    expect(planPromotion({ ...told, review: { kind: 'policy' } }).body).toContain(
      'Nobody has to: the policy of the stage',
    );
  });

  it('is what can be done next, as the policy has it', () => {
    expect(body).toContain('- **Approve** it: Lynceus merges it as soon as everything else is met');
    expect(body).toContain('`/lynceus hold`');
    const byHand = planPromotion({ ...told, merge: 'person', commands: false }).body;
    expect(byHand).toContain('- **Merge it** once everything below is met');
    expect(byHand).not.toContain('/lynceus hold');
  });

  it('is which files are written where it brings no commit', () => {
    const edits = planPromotion({
      ...told,
      edits: [{ path: 'env/prod/values.yaml', what: 'image.tag 1.1 → 1.2' }],
    }).body;
    expect(edits).toContain('| env/prod/values.yaml | image.tag 1.1 → 1.2 |');
    expect(edits).toContain('Merging brings exactly these edits to the branch');
  });

  it('is the worst of many indicators, the others behind a fold', () => {
    const [first] = evidence.evaluation?.indicators ?? [];
    if (!evidence.evaluation || !first) throw new Error('the evidence of this test has no indicator');
    const many = Array.from({ length: 60 }, (_, at) => ({
      ...first,
      displayName: `i${at}`,
      status: at === 59 ? ('fail' as const) : ('pass' as const),
    }));
    const text = planPromotion({ ...told, evaluation: { ...evidence.evaluation, indicators: many } }).body;
    expect(text).toContain('<summary>All 60 indicators</summary>');
    expect(text.indexOf('| i59 ')).toBeLessThan(text.indexOf('| i0 '));
    expect(text).toContain('and 10 more indicators');
  });
});

describe('the trailers of a message', () => {
  const trailers = `Lynceus-Context: ${CONTEXT}\nLynceus-Revision: ${REVISION}`;

  it('are found among others, in any letter case and with any line ends', () => {
    const message = `Merge\n\nwhy\n\nSigned-off-by: Ada <ada@example.org>\nlynceus-context: ${CONTEXT}\nLYNCEUS-REVISION: ${REVISION}`;
    expect(parseTrailers(message)).toEqual({ context: CONTEXT, revision: REVISION });
    expect(parseTrailers(message.replaceAll('\n', '\r\n'))).toEqual({ context: CONTEXT, revision: REVISION });
    expect(parseTrailers(`x\n\n${trailers}\n\n\n`)).toEqual({ context: CONTEXT, revision: REVISION });
  });

  it.each([
    ['in the middle of the text', `x\n\n${trailers}\n\nand more words`],
    ['mixed with words', `x\n\nsome words\n${trailers}`],
    ['in a quotation', `x\n\n> ${trailers.replace('\n', '\n> ')}`],
    ['missing', 'Merge branch main'],
    ['empty', ''],
  ])('do not count when they are %s', (_, message) => {
    expect(parseTrailers(message)).toEqual({});
  });

  it('do not count when they are there twice or cannot be true', () => {
    expect(parseTrailers(`x\n\n${trailers}\nLynceus-Context: other`)).toEqual({ revision: REVISION });
    expect(parseTrailers(`x\n\nLynceus-Context: ${CONTEXT}\nLynceus-Revision: main`)).toEqual({ context: CONTEXT });
    expect(parseTrailers(`x\n\nLynceus-Context: a b\nLynceus-Revision: ${REVISION}`)).toEqual({ revision: REVISION });
  });
});
