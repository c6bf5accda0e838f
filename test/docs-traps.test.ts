import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const REFERENCE = join(ROOT, '../shared/reference/argo-flux.md');

interface Row {
  trap: string;
  doing: string;
  /** Below test/. */
  file: string;
  title: string;
}

const rows = readFileSync(join(ROOT, 'docs/traps.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| trap '))
  .map(toRow);

describe('the page about traps', () => {
  it.skipIf(!hasReference())('has a row for every trap that is known', () => {
    const known = trapsIn(readFileSync(REFERENCE, 'utf8'));
    expect(known.length).toBeGreaterThan(45);
    const told = new Set(rows.map(({ trap }) => trap));
    expect(known.filter((trap) => !told.has(trap))).toEqual([]);
  });

  it.each(rows.map((row) => [row.trap, row] as const))('%s: a test that runs shows what Lynceus does', (_, row) => {
    expect(row.doing).not.toBe('');
    const source = readFileSync(join(ROOT, 'test', row.file), 'utf8');
    const at = startOf(source, row.title);
    expect(at, `${row.file} has no test "${row.title}"`).toBeGreaterThan(0);
    expect(callBefore(source, at)).not.toMatch(/\.(?:skip|todo|fails)\b/);
    expect(source).not.toMatch(/\bdescribe\.(?:skip|todo)\(/);
  });
});

function toRow(line: string): Row {
  const [trap = '', doing = '', link = '', title = ''] = line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
  const [, shown = '', target = ''] = /^\[`([^`]+)`\]\(\.\.\/test\/([^)]+)\)$/.exec(link) ?? [];
  if (shown === '' || shown !== target) throw new Error(`docs/traps.md: "${trap}" links to no test: ${link}`);
  return { trap, doing, file: target, title };
}

/** Of the section with the list: `Flux: one; another; a third.` */
function trapsIn(reference: string): string[] {
  const section = /^# 11\. Trap list.*?$(.*?)^# /ms.exec(reference)?.[1] ?? '';
  return section
    .split('\n')
    .flatMap((line) => /^[A-Z][A-Za-z ]+: (.+)\.$/.exec(line)?.[1]?.split('; ') ?? [])
    .map((trap) => trap.trim());
}

/** Where the title stands as a whole, in quotes. */
function startOf(source: string, title: string): number {
  const ways = [`'${title.replaceAll("'", "\\'")}'`, `"${title.replaceAll('"', '\\"')}"`, `'${title}'`];
  return Math.max(...ways.map((way) => source.indexOf(way)));
}

/** The call that the title is given to: `it`, `it.each(...)`, `it.skip`. */
function callBefore(source: string, at: number): string {
  const before = source.slice(0, at);
  return before.slice(
    Math.max(before.lastIndexOf('\n  it'), before.lastIndexOf('\n    it'), before.lastIndexOf('\nit')),
  );
}

function hasReference(): boolean {
  if (existsSync(REFERENCE)) return true;
  if (process.env['CI'] === 'true') throw new Error('the list of traps (../shared/reference) is missing');
  console.warn('skipped: no list of traps in ../shared/reference');
  return false;
}
