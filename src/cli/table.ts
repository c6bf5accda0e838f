/** Narrower than this, a column says nothing. */
const LEAST_WIDTH = 6;
const GAP = 2;

/** Rows in columns that fit the terminal: the widest columns give way until the last one has room for its words. */
export function table(rows: readonly (readonly string[])[], columns: number): string {
  const clean = rows.map((row) => row.map(oneLine));
  const widths = narrowed(
    (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => row[column]?.length ?? 0))),
    columns,
  );
  return clean
    .map((row) =>
      row
        .map((cell, column) => shorten(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0))
        .join(' '.repeat(GAP))
        .trimEnd(),
    )
    .join('\n');
}

/** Text of others on one line of the terminal, unable to steer it. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

/** Text in lines that are no wider, as far as its words allow. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function narrowed(wanted: readonly number[], columns: number): number[] {
  const widths = [...wanted];
  let over = widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1)) - columns;
  for (; over > 0; over--) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= LEAST_WIDTH) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
