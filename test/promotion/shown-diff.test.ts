import { describe, expect, it } from 'vitest';
import { shownDiff } from '../../src/promotion/shown-diff.ts';

function file(path: string, ...lines: string[]) {
  return { path, additions: 1, deletions: 1, patch: ['@@ -1,3 +1,3 @@', ...lines].join('\n') };
}

const linesOf = (path: string, ...lines: string[]) =>
  shownDiff({ files: [file(path, ...lines)], totalFiles: 1 }).files[0]?.lines;

describe('what is shown of what a promotion changes', () => {
  it('are the lines that are new or gone, without what surrounds them', () => {
    expect(linesOf('values.yaml', ' image:', '-  tag: 1.8.1', '+  tag: 1.8.2', '\\ No newline at end of file')).toEqual(
      ['-   tag: 1.8.1', '+   tag: 1.8.2'],
    );
  });

  it.each<[string, string[], string[] | undefined]>([
    ['values.yaml', ['+DB_PASSWORD: hunter2', '+apiKey=abc'], ['+ DB_PASSWORD: (not shown)', '+ apiKey=(not shown)']],
    ['app.yaml', [' - name: API_TOKEN', '+  value: abc'], ['+   value: (not shown)']],
    ['app.yaml', ['+url: https://ada:hunter2@db.example.com/x'], ['+ url: https://db.example.com/x']],
    ['app.yaml', [' kind: Secret', '+data: aHVudGVyMg=='], undefined],
    ['app.yaml', ['+stringData:', '+  a: hunter2'], undefined],
    ['app.yaml', ['+key: |', '+  -----BEGIN PRIVATE KEY-----'], undefined],
    ['envs/prod/secrets.yaml', ['+a: hunter2'], undefined],
    ['.env.production', ['+A=hunter2'], undefined],
    ['app.yaml', ['+a: \u001b[2J\u202eb'], ['+ a:  [2J b']],
  ])('never what looks like a secret, nor what steers a terminal: %s %j', (path, lines, shown) => {
    expect(linesOf(path, ...lines)).toEqual(shown);
  });

  it('is cut, and says by how much', () => {
    const long = Array.from({ length: 70 }, (_, at) => `+line ${at} ${'x'.repeat(300)}`);
    const files = [file('a.yaml', ...long), ...Array.from({ length: 9 }, (_, at) => file(`${at}.yaml`, '+a'))];
    const shown = shownDiff({ files, totalFiles: 12 });
    expect(shown.totalFiles).toBe(12);
    expect(shown.files).toHaveLength(5);
    expect(shown.files[0]).toMatchObject({ more: 30 });
    expect(shown.files[0]?.lines?.every((line) => line.length <= 162)).toBe(true);
    expect(shown.files[1]).not.toHaveProperty('lines');
    expect(shownDiff({ files: [{ path: 'b', additions: 1, deletions: 0 }], totalFiles: 1 }).files).toEqual([
      { path: 'b', additions: 1, deletions: 0 },
    ]);
  });
});
