import { describe, expect, it } from 'vitest';
import { oneLine, table } from '../../src/cli/table.ts';

const ROWS = [
  ['CHANGE', 'SERVICE', 'NOW'],
  ['8a3d1f0c', 'a-service-with-a-long-name', 'staging: waiting for an approval of the payments team until Monday'],
  ['11111111', 'basket', 'dev: test'],
];

describe('a table', () => {
  it.each([200, 120, 80, 60, 40])('fits %i columns', (columns) => {
    const lines = table(ROWS, columns).split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    for (const line of lines.slice(1)) expect(line).toMatch(/(?:staging|dev): /);
  });

  it('shows everything where there is room', () => {
    expect(table(ROWS, 200).split('\n')[1]).toBe(
      '8a3d1f0c  a-service-with-a-long-name  staging: waiting for an approval of the payments team until Monday',
    );
  });

  it('says where something was left out', () => {
    expect(table(ROWS, 60).split('\n')[1]).toMatch(/…$/);
  });

  it('lets nobody steer the terminal', () => {
    const evil = '\u001b[2J\u001b]0;title\u0007red\nnext\u009b31m\u202eback\u2028';
    expect(oneLine(evil)).toBe('[2J ]0;title red next 31m back');
    expect(table([['CHANGE'], [evil]], 80).split('\n')).toHaveLength(2);
  });
});
