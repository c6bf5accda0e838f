import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { questionSchema } from '../../src/http/gates/question.ts';
import { lynceus } from '../support/cli.ts';
import { documentedRoutes } from '../support/openapi.ts';

const folder = path.resolve(import.meta.dirname, '../../examples/gates');
const text = (file: string) => readFileSync(path.join(folder, file), 'utf8');
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const page = readFileSync(path.resolve(folder, '../../docs/gates.md'), 'utf8');
const FIELDS = Object.keys(questionSchema.properties);

/** Addresses below our host; templates of the consumers stand for one segment. */
const addresses = (source: string) =>
  [...source.matchAll(/https:\/\/(?:[\w:.-]+@)?lynceus\.example\.com(\/[^'"\n]*)/g)].map((match) =>
    (match[1] as string).replaceAll(/\{\{ range .*\{\{ end \}\}\{\{ end \}\}/g, 'x').replaceAll(/\{\{[^}]*\}\}/g, 'x'),
  );

/** Consumers add their own paths below some addresses. */
const ADDED: Record<string, string> = {
  '/api/v1/integrations/kayenta': '/canaryConfig',
  '/api/v1/integrations/prometheus': '/api/v1/query',
};
const PAGES = ['/changes'];

function isRoute(address: string): boolean {
  const whole = address + (ADDED[address] ?? '');
  const routes = documentedRoutes().map((route) => route.split(' ')[1] ?? '');
  return [...routes, ...PAGES].some((route) => new RegExp(`^${route.replaceAll(/:\w+/g, '[^/]+')}$`).test(whole));
}

describe.each(files)('examples/gates/%s', (file) => {
  it('is YAML without mistakes, each document with its kind', () => {
    for (const document of parseAllDocuments(text(file))) {
      expect([...document.errors, ...document.warnings]).toEqual([]);
      expect(document.toJS()).toMatchObject({ apiVersion: expect.any(String), kind: expect.any(String) });
    }
  });

  it('asks only at addresses that there are', () => {
    const found = addresses(text(file));
    expect(found.length + (file === 'presync-job.yaml' ? 1 : 0)).toBeGreaterThan(0);
    expect(found.filter((address) => !isRoute(address))).toEqual([]);
  });

  it('is named by the page about gates', () => {
    expect(page).toContain(`../examples/gates/${file}`);
  });
});

describe('the questions of the examples', () => {
  it('have only fields that there are', () => {
    const rollouts = parseAllDocuments(text('argo-rollouts.yaml'))
      .map((one) => one.toJS())
      .at(-1);
    expect(FIELDS).toEqual(expect.arrayContaining(Object.keys(rollouts.spec.metrics[0].provider.web.jsonBody)));
    const [canary, , template] = parseAllDocuments(text('flagger.yaml')).map((one) => one.toJS());
    for (const { metadata = {} } of canary.spec.analysis.webhooks)
      expect(FIELDS).toEqual(expect.arrayContaining(Object.keys(metadata)));
    const labels = [...template.spec.query.matchAll(/(\w+)=/g)].map((match) => match[1]);
    expect(FIELDS).toEqual(expect.arrayContaining(labels));
    const body = /body: '(.*)'/.exec(text('kargo.yaml'))?.[1] ?? '';
    const asked = [...body.matchAll(/"(\w+)":/g)].map((match) => match[1]);
    expect([...FIELDS, 'promotion', 'freight']).toEqual(expect.arrayContaining(asked));
  });

  it('are all described, field by field', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const described = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]),
    );
    expect(described).toEqual(expect.arrayContaining(FIELDS));
  });

  it('are flags that the command knows', async () => {
    const [job] = parseAllDocuments(text('presync-job.yaml')).map((one) => one.toJS());
    const { args, env } = job.spec.template.spec.containers[0];
    const { out } = await lynceus([args[0], args[1], '--help']);
    for (const flag of args.filter((one: string) => one.startsWith('--'))) expect(out).toContain(`${flag} <`);
    for (const { name } of env) expect(name === 'REVISION' ? args.join(' ') : out).toContain(name);
  });
});

it('the trap is explained: who wants 200 for a no, and who 403', () => {
  expect(page).toMatch(/\*\*The trap\.\*\*[\s\S]*200[\s\S]*403/);
  expect(page).toContain('**403 carries on, 200 rolls back**');
});
