import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { forecast } from '../../src/engine/sync-windows.ts';
import type { SyncWindow } from '../../src/events/sync-windows.ts';
import { lynceus } from '../support/cli.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.join(root, 'examples/ways-to-gate');
const files = readdirSync(folder);
const documents = (file: string) =>
  parseAllDocuments(readFileSync(path.join(folder, file), 'utf8')).map((document) => {
    expect([...document.errors, ...document.warnings]).toEqual([]);
    return document.toJS();
  });
const page = readFileSync(path.join(root, 'docs/ways-to-gate.md'), 'utf8');
const WAYS = ['Manual sync', 'Branch', 'PreSync hook', 'Deny window', 'RollingSync step'];

describe.each(files)('examples/ways-to-gate/%s', (file) => {
  it('is YAML without mistakes, and the page about ways to gate names it', () => {
    for (const document of documents(file))
      expect(document).toMatchObject({ apiVersion: expect.any(String), kind: expect.any(String) });
    expect(page).toContain(`(../examples/ways-to-gate/${file})`);
  });
});

describe('the applications', () => {
  it('have auto-sync only where the way lives with it', () => {
    const automated = (file: string) => documents(file)[0].spec.syncPolicy?.automated !== undefined;
    expect([automated('manual-sync.yaml'), automated('branch.yaml')]).toEqual([false, true]);
    expect(documents('rolling-sync.yaml')[0].spec.template.spec.syncPolicy).toBeUndefined();
  });

  it('carry the labels by which they are found', () => {
    const labelled = [
      documents('manual-sync.yaml')[0].metadata,
      documents('branch.yaml')[0].metadata,
      documents('rolling-sync.yaml')[0].spec.template.metadata,
    ];
    for (const { labels } of labelled)
      expect(Object.keys(labels)).toEqual(['lynceus.dev/project', 'lynceus.dev/stage', 'lynceus.dev/service']);
  });
});

describe('the Job', () => {
  it('asks with flags that the command knows, and without a commit', async () => {
    const { args, env } = documents('presync-job.yaml')[0].spec.template.spec.containers[0];
    const { out } = await lynceus([args[0], args[1], '--help']);
    for (const flag of args.filter((one: string) => one.startsWith('--'))) expect(out).toContain(flag);
    for (const { name } of env) expect(out).toContain(name);
    expect(args).not.toContain('--revision');
  });

  it('ends before anything could wait for it for ever, and after its own patience', () => {
    const { activeDeadlineSeconds, backoffLimit, template } = documents('presync-job.yaml')[0].spec;
    const { args } = template.spec.containers[0];
    expect(args.at(-1)).toBe('15m');
    expect(activeDeadlineSeconds).toBeGreaterThan(15 * 60);
    expect(backoffLimit).toBe(0);
  });
});

describe('the standing window', () => {
  it('never opens for Argo CD itself, and is always open for those who ask', () => {
    const [window] = documents('deny-window.yaml')[0].spec.syncWindows as SyncWindow[];
    if (window === undefined) throw new Error('there is no window');
    const now = new Date('2026-11-21T12:34:56Z');
    expect(forecast([window], now, 'itself')).toEqual({ open: false });
    expect(forecast([window], now, 'request')).toEqual({ open: true });
  });
});

describe('the rights', () => {
  it('are the ones that the actions need', () => {
    const policy = documents('rbac.yaml')[0].data['policy.csv'] as string;
    const actions = [...policy.matchAll(/, (action\/\S+),/g)].map(([, action]) => action);
    expect(actions).toEqual([
      'action/batch/Job/resume',
      'action/batch/Job/terminate',
      'action/argoproj.io/Rollout/resume',
      'action/argoproj.io/Rollout/abort',
    ]);
  });
});

describe('the page', () => {
  it('has a section, a column of what it demands and one of what it cannot stop for each way', () => {
    for (const way of WAYS) expect(page).toContain(`\n## ${way}\n`);
    const heads = page.split('\n').filter((line) => line.startsWith('| | '));
    expect(heads).toHaveLength(2);
    for (const head of heads)
      expect(head.toLowerCase()).toBe(`| | ${WAYS.map((way) => way.toLowerCase()).join(' | ')} |`);
  });
});
