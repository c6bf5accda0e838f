import { describe, expect, it } from 'vitest';
import type { State } from '../../src/answers/change-row.ts';
import { badgeSvg } from '../../src/ui/badge.ts';

const STATES: State[] = [
  'idle',
  'queued',
  'running',
  'waiting',
  'passed',
  'warning',
  'failed',
  'skipped',
  'superseded',
  'unknown',
];

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe('a badge', () => {
  it.each(STATES)('says %s in words, on a ground that white text can be read on', (state) => {
    const svg = badgeSvg({ label: 'checkout prod', state, version: '1.8.2', score: 82.4 });
    expect(svg).toMatch(/<title>checkout prod: 1\.8\.2 [a-z ]+, 82<\/title>/);
    const grounds = [...svg.matchAll(/fill="(#[0-9a-f]{6})"/g)].map(([, colour]) => colour ?? '');
    expect(grounds).toHaveLength(2);
    for (const ground of grounds) expect(1.05 / (luminance(ground) + 0.05), ground).toBeGreaterThanOrEqual(4.5);
  });

  it('is short and harmless whatever it is about', () => {
    const svg = badgeSvg({ label: `"><script>${'x'.repeat(300)}`, state: 'passed', version: '\u0000\ud800&' });
    expect(svg).not.toContain('<script');
    expect(svg).not.toContain('\u0000');
    expect(svg.length).toBeLessThan(2_000);
  });
});
