import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDelivery } from '../src/definitions/delivery-yaml.ts';
import { parseKeptnPromotion } from '../src/definitions/keptn-promotion.ts';
import { sayProblem } from '../src/definitions/problem.ts';
import { fillChanges } from '../src/promotion/edits/changes.ts';
import { planEdits } from '../src/promotion/edits/plan-edits.ts';
import { applied, type Files, tree } from './promotion/edits/trees.ts';

const page = readFileSync(path.resolve(import.meta.dirname, '../docs/promotion.md'), 'utf8');
const NAMES = { project: 'shop', service: 'checkout', stage: 'dev', nextStage: 'production', revision: 'a'.repeat(40) };

interface Example {
  name: string;
  changes: unknown;
  source: Files;
  before: Files;
  after: Files;
}

/** The examples of the page: what is asked for, files of the verified commit, and what becomes of the others. */
const examples = page
  .split(/^### /m)
  .slice(1)
  .flatMap((section): Example[] => {
    const [name = ''] = section.split('\n', 1);
    const blocks = [...section.matchAll(/^```(\w+)\n# (\S+)\n([\s\S]*?)^```/gm)].map(
      ([, language, file = '', body = '']) => ({
        language,
        file,
        body,
      }),
    );
    const asked = blocks.find(({ file }) => file === 'promotion.changes');
    if (!asked) return [];
    const of = (language: string) => blocks.filter((block) => block !== asked && block.language === language);
    const side = (mark: string) => Object.fromEntries(of('diff').map(({ file, body }) => [file, sideOf(body, mark)]));
    const source = Object.fromEntries(of('yaml').map(({ file, body }) => [file, body]));
    return [{ name, changes: parse(asked.body), source, before: side('-'), after: side('+') }];
  });

function sideOf(diff: string, mark: string): string {
  const lines = diff.split('\n').filter((line) => line.startsWith(' ') || line.startsWith(mark));
  return lines.map((line) => `${line.slice(1)}\n`).join('');
}

describe('the page about promotion', () => {
  it('has an example for every kind of change', () => {
    expect(examples.map(({ name }) => name)).toEqual([
      ...['copy', 'set', 'kustomizeImage', 'helmChart', 'ociRepository', 'imagePolicy'],
    ]);
  });

  it.each(examples.map((example) => [example.name, example] as const))('says what %s does', (_, example) => {
    const { changes, source, before, after } = example;
    const delivery = parseDelivery(
      JSON.stringify({
        apiVersion: 'lynceus.dev/v1',
        kind: 'Delivery',
        metadata: { name: 'shop' },
        spec: {
          stages: [
            { name: 'dev', promotion: { changes } },
            { name: 'production', branch: 'main' },
          ],
        },
      }),
      'delivery.yaml',
    );
    const read = delivery.ok
      ? delivery.value.stages[0]?.promotion?.changes
      : delivery.problems.map(sayProblem).join('\n');
    if (!Array.isArray(read)) throw new Error(String(read));
    const { edits, problems } = planEdits(fillChanges(read, NAMES), tree(source, 'a'), tree(before, 'b'));
    expect(problems).toEqual([]);
    expect(applied(edits, source, before)).toEqual(after);
    expect(after).not.toEqual(before);
  });

  it('has a file of Keptn that is read', () => {
    const [, text = ''] = /^```yaml\n# git-promotion\.yaml\n([\s\S]*?)^```/m.exec(page) ?? [];
    expect(parseKeptnPromotion(text, 'git-promotion.yaml')).toEqual({
      ok: true,
      value: [{ copy: { from: '$SERVICE/$STAGE', to: '$SERVICE/$NEXT_STAGE' } }],
    });
  });
});
