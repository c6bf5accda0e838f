import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { witnessFile } from '../support/argocd-witness.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
/** Promised for a machine that does nothing else; tests run beside others. */
const LIMIT_MS = 110_000;

describe('npm run demo -- --headless', () => {
  it('tells the story to its end and says so in its last line', { timeout: LIMIT_MS + 10_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lynceus-exchanges-'));
    const SANDBOX_ARGOCD_EXCHANGES = join(folder, 'exchanges.jsonl');
    const { stdout } = await run('npm', ['run', '--silent', 'demo', '--', '--headless'], {
      cwd: root,
      env: { ...process.env, SANDBOX_ARGOCD_EXCHANGES },
      timeout: LIMIT_MS,
    });
    expect(witnessFile(SANDBOX_ARGOCD_EXCHANGES)).toBeGreaterThan(20);
    rmSync(folder, { recursive: true });
    const told = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { ok: boolean; story: object[] };
    expect(told).toMatchObject({
      ok: true,
      story: [
        { version: 1, stage: 'dev', verdict: 'pass', score: 100, promoted: true, pullRequest: 1 },
        { version: 1, stage: 'staging', verdict: 'pass', promoted: true, pullRequest: 2 },
        { version: 1, stage: 'production', verdict: 'pass' },
        { version: 2, stage: 'dev', verdict: 'pass', promoted: true, pullRequest: 3 },
        {
          version: 2,
          stage: 'staging',
          verdict: 'fail',
          promoted: false,
          pullRequest: null,
          reason: expect.stringContaining('Response time p95'),
        },
      ],
    });
    expect(stdout).toContain('Production serves version 1, asked over HTTP.');
  });
});
