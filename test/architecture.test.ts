import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAY_IMPORT } from './support/doors.ts';

const src = path.resolve(import.meta.dirname, '../src');

/** Where a process begins: the service, and what starts git for it. */
const ENTRIES = new Set(['main.ts', 'adapters/git-hosts/git-helper.ts']);
const PURE = ['events', 'definitions', 'engine', 'slo', 'risk', 'forecast', 'answers', 'promotion', 'views'];
/** The only packages that pure code may use: they parse, check and compute, and touch nothing. */
const PURE_PACKAGES = ['yaml', 'ajv', 'ajv-formats', 'typebox', 'croner'];
/** Things that make an answer depend on more than the question. */
const IMPURE = [
  /\bawait\b/,
  /\bDate\.now\b/,
  /new Date\(\)/,
  /\bMath\.random\b/,
  /\bprocess\./,
  /\bperformance\.now\b/,
  /\bfetch\(/,
  /\bsetTimeout\b/,
];

interface SourceFile {
  file: string;
  folder: string;
  text: string;
  imports: string[];
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map(read);

function read(file: string): SourceFile {
  const text = readFileSync(path.join(src, file), 'utf8');
  const imports = [...text.matchAll(/(?<!')(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string);
  return { file, folder: folderOf(file), text, imports };
}

function folderOf(file: string): string {
  const [first = ''] = file.split(path.sep);
  return first.replace(/\.ts$/, '');
}

function target({ file }: SourceFile, specifier: string): string | undefined {
  return specifier.startsWith('.') ? path.join(path.dirname(file), specifier) : undefined;
}

describe('the house', () => {
  it('has no room that the plan does not know', () => {
    expect([...new Set(files.map(({ folder }) => folder))].filter((folder) => !(folder in MAY_IMPORT))).toEqual([]);
  });

  it('lets every room import only what its door leads to', () => {
    const wrong = files.flatMap((one) =>
      one.imports.flatMap((specifier) => {
        const to = target(one, specifier);
        if (to === undefined) return [];
        const folder = folderOf(to);
        const allowed = folder === one.folder || folder === 'base' || MAY_IMPORT[one.folder]?.includes(folder);
        return allowed ? [] : [`${one.file} -> ${to}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('has no import cycles', () => {
    const graph = new Map(
      files.map((one) => [
        one.file,
        one.imports.map((specifier) => target(one, specifier)).filter((to) => to !== undefined),
      ]),
    );
    const done = new Set<string>();
    const visit = (file: string, trail: string[]): string[] => {
      if (trail.includes(file)) return [[...trail.slice(trail.indexOf(file)), file].join(' -> ')];
      if (done.has(file)) return [];
      const found = (graph.get(file) ?? []).flatMap((to) => visit(to, [...trail, file]));
      done.add(file);
      return found;
    };
    expect([...graph.keys()].flatMap((file) => visit(file, []))).toEqual([]);
  });

  it('keeps the adapters of a port strangers to those of another, and vendors to each other', () => {
    const wrong = files
      .filter(({ folder }) => folder === 'adapters')
      .flatMap((one) =>
        one.imports.flatMap((specifier) => {
          const to = target(one, specifier);
          const [, port = ''] = one.file.split(path.sep);
          const [room, otherPort = ''] = (to ?? '').split(path.sep);
          return room === 'adapters' && !otherPort.endsWith('.ts') && !port.endsWith('.ts') && otherPort !== port
            ? [`${one.file} -> ${to}`]
            : [];
        }),
      );
    expect(wrong).toEqual([]);
  });

  it.each(PURE)('keeps %s pure: no input or output, no clock, no chance', (folder) => {
    const own = files.filter((one) => one.folder === folder);
    expect(own.length).toBeGreaterThan(0);
    const packages = own.flatMap(({ file, imports }) =>
      imports
        .filter(
          (name) =>
            !name.startsWith('.') &&
            !PURE_PACKAGES.some((allowed) => name === allowed || name.startsWith(`${allowed}/`)),
        )
        .map((name) => `${file}: ${name}`),
    );
    const impure = own.flatMap(({ file, text }) =>
      IMPURE.filter((pattern) => pattern.test(withoutComments(text))).map((pattern) => `${file}: ${pattern}`),
    );
    expect([...packages, ...impure]).toEqual([]);
  });

  it('touches the process where one begins only', () => {
    // Which runs where: a pid or a platform is a fact, not a door to the outside.
    const touching = files.filter(
      ({ file, text }) =>
        !ENTRIES.has(file) && /\bprocess\.(?!pid\b|platform\b|getuid\b|versions\b|kill\b)/.test(withoutComments(text)),
    );
    expect(touching.map(({ file }) => file)).toEqual([]);
  });

  it('goes out by HTTP through one client only', () => {
    const axios = files.filter(({ imports }) => imports.includes('axios')).map(({ file }) => file);
    // The command line is a client of our own service, not of the outside world.
    expect(axios.sort()).toEqual(['adapters/http-client.ts', 'cli/changes.ts']);
  });

  it('asks the Kubernetes library for credentials only, and loads it when it is needed', () => {
    const users = files.filter(({ imports }) => imports.some((name) => name.startsWith('@kubernetes/')));
    expect(users.map(({ file }) => file)).toEqual(['adapters/delivery-systems/kubernetes-credentials.ts']);
    const ways = users.flatMap(({ text }) => text.split('\n').filter((line) => line.includes('@kubernetes/')));
    expect(ways.filter((line) => !line.startsWith('import type') && !line.includes('await import('))).toEqual([]);
  });

  it('has no barrels and no default exports', () => {
    expect(files.filter(({ file }) => path.basename(file) === 'index.ts')).toEqual([]);
    expect(files.filter(({ text }) => /^export (?:\*|default)/m.test(text)).map(({ file }) => file)).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
