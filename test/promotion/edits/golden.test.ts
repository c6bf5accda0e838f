import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { PromotionChange } from '../../../src/definitions/delivery-changes.ts';
import { parseDelivery } from '../../../src/definitions/delivery-yaml.ts';
import { parseKeptnPromotion } from '../../../src/definitions/keptn-promotion.ts';
import { sayProblem } from '../../../src/definitions/problem.ts';
import { fillChanges } from '../../../src/promotion/edits/changes.ts';
import { planEdits } from '../../../src/promotion/edits/plan-edits.ts';
import { applied, tree } from './trees.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/edits');
const NAMES = { project: 'shop', service: 'shop', stage: 'dev', nextStage: 'production', revision: 'a'.repeat(40) };

/** Every file below a folder, byte for byte. */
function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** As delivery.yaml would have them, or a file of Keptn in their place. */
function changesIn(name: string): PromotionChange[] {
  const text = readFileSync(join(FOLDER, name, 'changes.yaml'), 'utf8');
  const stages = [
    { name: 'dev', promotion: { changes: parse(text) as unknown } },
    { name: 'production', branch: 'main' },
  ];
  const file = { apiVersion: 'lynceus.dev/v1', kind: 'Delivery', metadata: { name: 'shop' }, spec: { stages } };
  const parsed = text.includes('GitPromotionConfig')
    ? parseKeptnPromotion(text, 'changes.yaml')
    : parseDelivery(JSON.stringify(file), 'delivery.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
  const found = parsed.value && 'stages' in parsed.value ? parsed.value.stages[0]?.promotion?.changes : parsed.value;
  if (!Array.isArray(found)) throw new Error(`${name} has no changes`);
  return fillChanges(found, NAMES);
}

describe('a promotion of real-looking files', () => {
  it.each(readdirSync(FOLDER))(
    '%s: what goes in comes out as it was written down, and stays when it is done again',
    (name) => {
      const [source, before, after] = ['source', 'target', 'after'].map((side) => filesIn(join(FOLDER, name, side)));
      const plan = (target: Record<string, string>) =>
        planEdits(changesIn(name), tree(source ?? {}, 'a'), tree(target, 'b'));
      const { edits, problems } = plan(before ?? {});
      expect(problems.map(sayProblem)).toEqual([]);
      expect(applied(edits, source ?? {}, before ?? {})).toEqual(after);
      expect(plan(after ?? {})).toMatchObject({ edits: [], summary: [], problems: [] });
    },
  );
});
