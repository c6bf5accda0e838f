import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseEnvironment, SETTINGS } from '../src/config/environment.ts';

const root = path.resolve(import.meta.dirname, '..');
const text = (file: string) => readFileSync(path.join(root, file), 'utf8');

interface Instruction {
  name: string;
  words: string;
}

/** One entry per stage, with what it starts from first. */
function stages(dockerfile: string): Instruction[][] {
  const lines = dockerfile
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const found: Instruction[][] = [];
  for (const line of lines) {
    const [, name = '', words = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') found.push([]);
    found.at(-1)?.push({ name, words });
  }
  return found;
}

const all = stages(text('Dockerfile'));
const runtime = all.at(-1) ?? [];
const wordsOf = (name: string) => runtime.filter((one) => one.name === name).map(({ words }) => words);

describe('the image', () => {
  it('is built in stages, all of which start from the pinned Node', () => {
    expect(all).toHaveLength(3);
    expect(all.map(([from]) => from?.words.split(' ')[0])).toEqual(Array(3).fill(`\${NODE_IMAGE}`));
    expect(/^ARG NODE_IMAGE=(.+)$/m.exec(text('Dockerfile'))?.[1]).toMatch(
      /^node:24(?:\.\d+)*-slim(?:@sha256:[0-9a-f]{64})?$/,
    );
    expect(text('Dockerfile')).toContain('@sha256:');
  });

  it('installs packages by the lock file and runs none of their scripts', () => {
    const installs = all.flat().filter(({ words }) => /npm (?:ci|install|i)\b/.test(words));
    expect(installs.length).toBe(2);
    for (const { words } of installs) expect(words).toMatch(/^npm ci --ignore-scripts( --omit=dev)?$/);
  });

  it('carries only what the program needs at run time', () => {
    const copies = wordsOf('COPY');
    expect(copies).toEqual([
      'package.json LICENSE ./',
      '--from=dependencies /app/node_modules ./node_modules',
      '--from=build /app/dist ./dist',
    ]);
    const dependencies = all[1] ?? [];
    expect(dependencies.some(({ words }) => words.includes('--omit=dev'))).toBe(true);
    const packages = /apt-get install --yes --no-install-recommends ([a-z -]+?) *&&/.exec(
      wordsOf('RUN').join(' '),
    )?.[1];
    expect(packages?.split(' ')).toEqual(['ca-certificates', 'git']);
    expect(wordsOf('RUN').join(' ')).toContain('/usr/local/lib/node_modules');
  });

  it('runs as nobody, also on a read-only root file system', () => {
    expect(wordsOf('USER')).toEqual(['65532:65532']);
    expect(runtime.findIndex(({ name }) => name === 'USER')).toBeGreaterThan(
      runtime.findLastIndex(({ name }) => name === 'RUN'),
    );
    const env = Object.fromEntries(
      [
        ...wordsOf('ENV')
          .join(' ')
          .matchAll(/(\w+)=(\S+)/g),
      ].map((match) => [match[1], match[2]]),
    );
    expect(env).toEqual({ NODE_ENV: 'production', LYNCEUS_DATA_DIR: '/data', HOME: '/tmp' });
    expect(wordsOf('VOLUME')).toEqual(['/data']);
    expect(wordsOf('RUN').join(' ')).toContain('install --directory --owner 65532 --group 65532 --mode 0700 /data');
  });

  it('serves on the port that the program listens on, and leaves probing to Kubernetes', () => {
    const environment = parseEnvironment({}, () => '');
    expect(environment.ok && environment.value.listen.port).toBe(Number(wordsOf('EXPOSE')[0]));
    const begins = ['node', '--max-semi-space-size=8', 'dist/main.js'];
    expect(wordsOf('ENTRYPOINT').map((words) => JSON.parse(words))).toEqual([begins]);
    // What is measured and what people run is what the image runs.
    const { scripts } = JSON.parse(text('package.json')) as { scripts: { start: string } };
    expect(scripts.start).toContain(`exec ${begins.join(' ')} serve`);
    expect(text('bench/support/service.ts')).toContain(`['${begins[1]}']`);
    expect(wordsOf('CMD').map((words) => JSON.parse(words))).toEqual([['serve']]);
    expect(wordsOf('HEALTHCHECK')).toEqual(['NONE']);
  });

  it('has a Node that knows what the service tells V8', () => {
    const calls = [...text('src/main.ts').matchAll(/setFlagsFromString\((.*)\);/g)].join();
    const told = [...calls.matchAll(/'--(?:no-)?([\w-]+)/g)].map((match) => match[1]);
    expect(new Set(told).size).toBe(3);
    const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
    for (const flag of told) expect(known).toContain(`--${flag} (`);
  });

  it('is told settings by names that the program knows', () => {
    const names = [
      ...wordsOf('ENV')
        .join(' ')
        .matchAll(/(LYNCEUS_\w+)=/g),
    ].map((match) => match[1]);
    expect(names.filter((name) => !SETTINGS.some((setting) => setting.name === name))).toEqual([]);
  });

  it('is given nothing but its sources by the build context', () => {
    const lines = text('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    const sources = all.flatMap((stage) =>
      stage
        .filter(({ name, words }) => name === 'COPY' && !words.startsWith('--from'))
        .flatMap(({ words }) => words.split(' ').slice(0, -1)),
    );
    expect(lines.slice(1).sort()).toEqual([...new Set(sources)].map((source) => `!${source}`).sort());
  });
});
