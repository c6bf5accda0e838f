import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseKeptnPromotion } from '../../src/definitions/keptn-promotion.ts';
import { sayProblem } from '../../src/definitions/problem.ts';

const config = (spec: string) =>
  `apiVersion: keptn.sh/v1\nkind: GitPromotionConfig\nmetadata: {name: a}\nspec:\n${spec}\n`;
const read = (text: string) => {
  const parsed = parseKeptnPromotion(text, 'git-promotion.yaml');
  return parsed.ok ? parsed.value : parsed.problems.map(sayProblem);
};

describe("Keptn's GitPromotionConfig", () => {
  it('copies folders between stages', () => {
    const paths =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Keptn's own placeholders
      '  strategy: flat-pr\n  paths: [{source: "${service}/${stage}/", target: "/${service}/${nextstage}"}]';
    expect(read(config(paths))).toEqual([{ copy: { from: '$SERVICE/$STAGE', to: '$SERVICE/$NEXT_STAGE' } }]);
  });

  it('brings the verified commit where branches are promoted', () => {
    expect(read(config('  strategy: branch'))).toBeUndefined();
  });

  it.each([
    ['  strategy: squash', /^git-promotion\.yaml:5:13 spec\.strategy must be one of "branch", "flat-pr"/],
    ['  strategy: flat-pr', /^git-promotion\.yaml:5:3 spec has no "paths" to copy$/],
    [
      '  strategy: flat-pr\n  paths: [{target: a}]',
      /^git-promotion\.yaml:6:11 spec\.paths\[0\] has no "source": Keptn wrote/,
    ],
    [
      '  strategy: flat-pr\n  paths: [{source: ../a, target: b}]',
      /spec\.paths\[0\]\.source is not a folder in the repository/,
    ],
    [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Keptn's own placeholders
      '  strategy: flat-pr\n  paths: [{source: "${data.x}", target: "${x}"}]',
      /\.target is not a folder .*\$\{nextstage\}$/,
    ],
  ])('that says %j is refused with its place', (spec, message) => {
    expect(read(config(spec))).toEqual(expect.arrayContaining([expect.stringMatching(message)]));
  });
});

const FOLDER = join(import.meta.dirname, '../../../shared/conformance/keptn-files/promotion');
const available = existsSync(FOLDER);
if (!available && process.env['CI'] === 'true') throw new Error('CI needs the conformance data beside the project');
if (!available) console.warn("Skipped: files of Keptn's users, because the conformance data is not beside the project");

describe.skipIf(!available)('real files', () => {
  const real = (file: string) => parseKeptnPromotion(readFileSync(join(FOLDER, file), 'utf8'), file);

  it('that copy one folder to another are accepted', () => {
    expect(real('git-promotion-2.yaml')).toEqual({
      ok: true,
      value: [{ copy: { from: '$STAGE', to: '$NEXT_STAGE' } }],
    });
  });

  it('that mark lines to replace say what to use instead', () => {
    const parsed = real('git-promotion-1.yaml');
    expect(parsed.ok ? [] : parsed.problems.map(sayProblem)).toEqual([
      'git-promotion-1.yaml:13:7 spec.paths[0] has no "source": Keptn wrote values into lines marked with "keptn.git-promotion.replacewith" there; use "set" in promotion.changes instead',
    ]);
  });
});
