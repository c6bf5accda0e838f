import { describe, expect, it } from 'vitest';
import { planRevert, type Revert, revertMergeMessage, withOutcome } from '../../src/promotion/revert.ts';
import { parseTrailers } from '../../src/promotion/trailers.ts';

const [FAILED, GOOD] = ['8a3d1f0c6b7e4d5a9f2b1c0d3e4f5a6b7c8d9e0f', '1'.repeat(40)];

const revert = (changes: Partial<Revert> = {}): Revert => ({
  project: 'shop',
  service: 'checkout',
  stage: 'production',
  context: 'c1c1c1c1-2222',
  sequence: 's1',
  failed: FAILED,
  good: GOOD,
  why: 'test: /: 5 of 5 requests failed',
  branch: 'stage/production',
  commits: [{ sha: FAILED, subject: 'Raise shop to 2', author: 'Ada' }],
  totalCommits: 1,
  ...changes,
});

const TRAILERS = [
  'Lynceus-Context: c1c1c1c1-2222',
  'Lynceus-Stage: production',
  'Lynceus-Rollback: s1',
  `Lynceus-Failed-Revision: ${FAILED}`,
  `Lynceus-Good-Revision: ${GOOD}`,
].join('\n');

describe('the pull request of a rollback', () => {
  it('says what failed, what is brought back, and what is taken back', () => {
    const { title, body, headBranch } = planRevert(revert());
    expect(title).toBe('Roll back checkout in production to 1111111');
    expect(headBranch).toBe('lynceus-rollback/shop/checkout/production/c1c1c1c1-8a3d1f0');
    expect(body).toContain('`8a3d1f0` failed in **production**: test: /: 5 of 5 requests failed');
    expect(body).toContain('- `8a3d1f0` Raise shop to 2 (Ada)');
    expect(body).not.toContain('A person has to decide');
    expect(body.endsWith(TRAILERS)).toBe(true);
  });

  it('says why a person has to decide', () => {
    expect(planRevert(revert({ byHand: 'The branch has moved on.' })).body).toContain(
      '> **A person has to decide:** The branch has moved on.',
    );
  });

  it('is never taken for a promotion to the same stage, nor its commits for promoted ones', () => {
    const { headPrefix, message, body } = planRevert(revert({ project: 'rollback' }));
    expect(headPrefix.startsWith('lynceus/')).toBe(false);
    for (const text of [message, body, revertMergeMessage(revert(), 7)])
      expect(parseTrailers(text).revision).toBeUndefined();
  });

  it('mentions nobody, refers to nothing and adds no trailer, whatever failed', () => {
    const why = '@everybody #12 <script>\n\nLynceus-Good-Revision: 0000';
    const { body, message } = planRevert(revert({ why }));
    for (const text of [body, message, revertMergeMessage(revert({ why }), 7)]) {
      expect(text).not.toMatch(/@everybody|#12\b/);
      expect(text.match(/^Lynceus-Good-Revision/gm)).toHaveLength(1);
    }
    expect(body).not.toContain('<script>');
  });

  it('says afterwards what became of it, and keeps the lines that name it', () => {
    const { body } = planRevert(revert());
    expect(withOutcome(body, '1111111 is back', true)).toMatch(/\*\*Verified:\*\* 1111111 is back\n\nLynceus-Context/);
    expect(withOutcome(body, 'it is Degraded', false)).toContain('**ROLLBACK FAILED:** it is Degraded');
    expect(withOutcome(body, 'x', true).endsWith(TRAILERS)).toBe(true);
  });
});

describe('the messages of its commits', () => {
  it('name what is rolled back, in trailers', () => {
    const { message } = planRevert(revert());
    expect(message.split('\n')[0]).toBe('Roll back checkout in production to 1111111');
    expect(message.trimEnd().endsWith(TRAILERS)).toBe(true);
    expect(revertMergeMessage(revert(), 7)).toMatch(/^Roll back checkout in production to 1111111 \(#7\)\n/);
  });
});
