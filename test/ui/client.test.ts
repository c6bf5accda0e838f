import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { SCRIPT } from '../../src/ui/assets.ts';
import { clientScript } from '../../src/ui/client-script.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'lynceus-client-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Everything that has a name at the beginning of a line. */
function declared(script: string): string[] {
  return [...script.matchAll(/^(?:async )?(?:function|const|let|class) (\w+)/gm)].map(([, name = '']) => name);
}

describe('the module of the browser', () => {
  it('is one file that asks for nothing more, small enough for every page', () => {
    const { body, address } = SCRIPT;
    expect(body).not.toMatch(/^(?:import|export) /m);
    expect(body).not.toMatch(/innerHTML|insertAdjacentHTML|\beval\b|https?:/);
    expect(gzipSync(body).length).toBeLessThan(8_000);
    expect(address).toMatch(/^\/assets\/app\.[0-9a-f]{12}\.js$/);
  });

  it('is built to the same module that runs from source', () => {
    const tsc = path.join(root, 'node_modules/.bin/tsc');
    execFileSync(tsc, ['-p', 'src/ui/client', '--noEmit', 'false', '--outDir', folder], { cwd: root });
    const built = clientScript(path.join(folder, 'client/app.js'));
    expect(declared(built)).toEqual(declared(SCRIPT.body));
    expect(gzipSync(built).length).toBeLessThan(8_000);
    // Two of one name, or a name that is nowhere, would end it before it begins.
    expect(() => execFileSync(process.execPath, ['--check', '--input-type=module'], { input: built })).not.toThrow();
  });
});
