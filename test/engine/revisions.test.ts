import { describe, expect, it } from 'vitest';
import { isSame, sayInstead } from '../../src/engine/revisions.ts';

const COMMIT = '8a3d1f0c6b7e4d5a9f2b1c0d3e4f5a6b7c8d9e0f';
const VALUES = '1'.repeat(40);

describe('a commit that was synced by its short hash', () => {
  it.each(['8a3d1f0', '8a3d1f0c6b7e', COMMIT.slice(0, 39)])('is the one that was gated: %s', (short) => {
    expect(isSame({ revision: short }, { revision: COMMIT })).toBe(true);
  });

  it.each([
    ['too short to name a commit', '8a3d1f', COMMIT],
    ['of another commit', '8a3d1f1', COMMIT],
    ['in capitals, which no Git writes', '8A3D1F0', COMMIT],
    ['nothing', '', COMMIT],
    ['of a version that only begins alike', '1.2.3', '1.2.30'],
    ['of digits that begin a version', '20260302', '202603021'],
    ['the other way round: a whole hash is never its beginning', COMMIT, '8a3d1f0'],
  ])('is not when it is %s', (_, found, wanted) => {
    expect(isSame({ revision: found }, { revision: wanted })).toBe(false);
  });

  it('counts by source where there are several', () => {
    const wanted = { revision: COMMIT, revisions: [COMMIT, VALUES] };
    expect(isSame({ revision: '8a3d1f0', revisions: ['8a3d1f0', VALUES.slice(0, 8)] }, wanted)).toBe(true);
    const other = { revision: '8a3d1f0', revisions: ['8a3d1f0', '2222222'] };
    expect(isSame(other, wanted)).toBe(false);
    expect(sayInstead(other, 'was synced', wanted)).toBe('of source 2, 2222222 was synced instead of 11111111');
  });
});

describe('a chart that Flux rolled back to', () => {
  const digest = `sha256:b53df76d4185${'0'.repeat(52)}`;

  it('is the one whose digest begins as its version ends', () => {
    expect(isSame({ revision: '1.1.0+b53df76d4185' }, { revision: digest })).toBe(true);
    expect(isSame({ revision: '1.1.0+b53df76d4186' }, { revision: digest })).toBe(false);
    expect(isSame({ revision: '1.1.0+b53df76d' }, { revision: digest })).toBe(false);
    expect(isSame({ revision: '1.1.0' }, { revision: digest })).toBe(false);
  });
});
