import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { EXIT } from '../src/cli/command.ts';
import { lynceus } from './support/cli.ts';

const root = resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const page = read('docs/slo.md');

/** A command of the page with what it says that it prints. */
const examples = [...page.matchAll(/```sh\n(lynceus evaluate [^\n]*)\n```\n\n```text\n([\s\S]*?)\n```/g)].map(
  ([, command = '', output = '']) => ({ command, output }),
);

describe('the page about slo.yaml', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lynceus-docs-slo-'));
    const worked = page.slice(page.indexOf('### Worked examples'));
    const [, slo = ''] = /```yaml\n# slo\.yaml\n([\s\S]*?)```/.exec(worked) ?? [];
    writeFileSync(join(folder, 'slo.yaml'), slo);
    for (const [, name = '', content = ''] of worked.matchAll(/`([\w-]+\.json)`: `([^`]*)`/g))
      writeFileSync(join(folder, name), content);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has worked examples', () => {
    expect(examples.length).toBe(3);
  });

  it.each(examples)('shows what comes out of: $command', async ({ command, output }) => {
    const { out, err } = await lynceus(command.split(' ').slice(1), {}, folder);
    expect([out.trimEnd(), err]).toEqual([output, '']);
  });

  it('shows files, options and exit codes that exist', async () => {
    const { out } = await lynceus(['evaluate', '--help']);
    for (const [option] of page.matchAll(/--[a-z]+/g)) expect(out).toContain(option);
    const codes = [...page.matchAll(/^\| [^|]+ \| [^|]+ \| (\d+) \|$/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual([EXIT.ok, EXIT.warning, EXIT.failed, EXIT.notJudged]);
  });
});

describe('the examples for CI', () => {
  const files = ['examples/ci/github-actions-evaluate.yaml', 'examples/ci/gitlab-ci-evaluate.yaml'];
  const scripts = files.flatMap((file) => {
    const found: string[] = [];
    JSON.stringify(parse(read(file)), (key, value) => {
      if (key === 'run' && typeof value === 'string') found.push(value);
      if (key === 'script' && Array.isArray(value)) found.push(...value);
      return value;
    });
    return found.map((script) => [file, script] as const);
  });

  it.each(scripts)('%s holds scripts that a shell understands', (_file, script) => {
    expect(() => execFileSync('sh', ['-n', '-c', script], { stdio: 'pipe' })).not.toThrow();
  });

  it.each(files)('%s uses options that exist, and knows every exit code', async (file) => {
    const { out } = await lynceus(['evaluate', '--help']);
    const commands =
      read(file)
        .replaceAll('\\\n', ' ')
        .match(/lynceus evaluate --slo[^>]*>/g) ?? [];
    expect(commands.length).toBe(1);
    for (const [option] of commands.join(' ').matchAll(/--[a-z]+/g)) expect(out).toContain(option);
    for (const code of [EXIT.ok, EXIT.failed, EXIT.warning, EXIT.notJudged]) expect(read(file)).toContain(`${code})`);
  });

  it('lets no expression of GitHub into a script', () => {
    for (const [file, script] of scripts) if (file.includes('github')) expect(script).not.toContain('${{');
  });
});
