import { describe, expect, it } from 'vitest';
import { commitOfRevision, parseFluxRevision } from '../../src/events/flux-revision.ts';

const COMMIT = '731f7eaddfb6af01cb2173e18f0f75b0ba780ef1';
const DIGEST = '3b6cdcc7adcc9a84d3214ee1c029543789d90b5ae69debe9efa3f66e982875de';

describe('a revision of Flux', () => {
  it.each([
    [`main@sha1:${COMMIT}`, 'main'],
    [`v1.0.1@sha1:${COMMIT}`, 'v1.0.1'],
    [`feature/branch@sha1:${COMMIT}`, 'feature/branch'],
    [`1/head@sha1:${COMMIT}`, '1/head'],
    [`refs/pull/1/head@sha1:${COMMIT}`, 'refs/pull/1/head'],
    [`release@2026@sha1:${COMMIT}`, 'release@2026'],
    [`sha1:${COMMIT}`, undefined],
    [`main/${COMMIT}`, 'main'],
    [`feature/branch/${COMMIT}`, 'feature/branch'],
    [`HEAD/${COMMIT}`, undefined],
    [COMMIT, undefined],
  ])('names a commit and where it was found: %s', (text, name) => {
    expect(parseFluxRevision(text)).toEqual({ kind: 'commit', commit: COMMIT, ...(name ? { name } : {}) });
    expect(commitOfRevision(text)).toBe(COMMIT);
  });

  it.each([
    [`latest@sha256:${DIGEST}`, 'latest'],
    [`6.1.8/${DIGEST}`, '6.1.8'],
    [`sha256:${DIGEST}`, undefined],
  ])('names a digest, which is no commit: %s', (text, name) => {
    expect(parseFluxRevision(text)).toEqual({ kind: 'digest', digest: `sha256:${DIGEST}`, ...(name ? { name } : {}) });
    expect(commitOfRevision(text)).toBeUndefined();
  });

  it.each([
    ['6.6.1', undefined],
    ['6.6.1-rc.1', undefined],
    ['6.6.1+0cc9a8446c95', '0cc9a8446c95'],
    ['v2.0.0-beta.3+0cc9a8446c95', '0cc9a8446c95'],
  ])('names the version of a chart: %s', (text, build) => {
    expect(parseFluxRevision(text)).toEqual({ kind: 'version', version: text, ...(build ? { build } : {}) });
  });

  it.each([
    '',
    'xxx',
    'main',
    'main@sha1:',
    'main@sha1:731f7ead',
    `main@sha1:${COMMIT.toUpperCase()}`,
    `main@sha256:${COMMIT}`,
    `main@md5:${'a'.repeat(32)}`,
    `main@constructor:${COMMIT}`,
    `main@sha1:${COMMIT}\n`,
    '6.6',
    `${'a'.repeat(1_000)}@sha1:${COMMIT}`,
  ])('is not guessed: %s', (text) => {
    expect(parseFluxRevision(text)).toBeUndefined();
  });
});
