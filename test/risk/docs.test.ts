import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { textReport } from '../../src/cli/risk-report.ts';
import { parseDelivery } from '../../src/definitions/delivery-yaml.ts';
import { assessRisk } from '../../src/risk/assess.ts';
import { defaultModel, SIGNAL_KEYS } from '../../src/risk/model.ts';
import { parseRiskSignals } from '../../src/risk/signals-file.ts';

const page = readFileSync(path.join(import.meta.dirname, '../../docs/risk.md'), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] ?? '');

describe('the page about risk', () => {
  it('gives every signal the coefficient that it has, and no other', () => {
    const listed = [...page.matchAll(/^\| `(\w+)` \| (-?[\d.]+) \|/gm)].map((match) => [match[1], Number(match[2])]);
    expect(listed).toEqual(SIGNAL_KEYS.map((key) => [key, defaultModel.coefficients[key]]));
  });

  it('works its example as the program does', () => {
    const policy = { approvalAbove: 25 };
    const parsed = parseRiskSignals(blocks('json')[0] ?? '', 'change.json', policy);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const found = assessRisk(parsed.value, policy);
    // base      (2 + 1.5) / (20 + 10) = 0.116667       ln(0.116667 / 0.883333) = -2.024382
    // size      ln(61) / ln(2001) = 4.110874 / 7.601402 = 0.540805, x 0.8 =        0.432644
    // files     3 / 40 = 0.075, x 0.3 =                                           0.022500
    // diffusion 2 / 8 = 0.25, x 0.5 =                                             0.125000
    // batch     (2 - 1) / 19 = 0.052632, x 0.5 =                                  0.026316
    // paths     1 x 0.7 =                                                         0.700000
    // budget    1 - 0.7 = 0.3, x 0.6 =                                            0.180000
    // soak      1 - 45 / 60 = 0.25, x 0.4 =                                       0.100000
    // sum       -0.437922; e^0.437922 = 1.549483; 1 / 2.549483 = 0.392236
    expect(found.figures['logit']).toBeCloseTo(-0.437922, 5);
    expect(found.score).toBeCloseTo(39.2236, 3);
    expect(found.answer).toBe('needs-approval');
    expect(`${textReport(found, 80)}\n`).toBe(blocks('text')[1]);
  });

  it('shows a policy in which every field means what it says', () => {
    const parsed = parseDelivery(blocks('yaml')[0] ?? '', 'delivery.yaml');
    const risk = parsed.ok ? parsed.value.stages[0]?.checks.risk : undefined;
    expect(risk).toMatchObject({
      quorum: { medium: 1, high: 2 },
      soakMs: { medium: 600_000, high: 3_600_000 },
      infrastructure: [{ name: 'cluster upgrade', deny: true }],
    });
  });
});
