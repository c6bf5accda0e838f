import { all, hit, on, soon } from './page.ts';

type Cell = HTMLElement;

function cellsOf(row: Element): Cell[] {
  return all('a, button', row);
}

function columnOf(cell: Cell): number {
  return cell.closest<HTMLTableCellElement>('td, th')?.cellIndex ?? 0;
}

/** One stop for Tab in each grid; arrows go from cell to cell. */
export function tendGrids(): void {
  for (const grid of all('[data-grid]')) {
    const cells = cellsOf(grid);
    const stop =
      cells.find((cell) => cell === document.activeElement) ??
      cells.find((cell) => cell.ariaCurrent) ??
      cells.find((cell) => cell.tabIndex === 0);
    for (const cell of cells) {
      const index = cell === (stop ?? cells[0]) ? 0 : -1;
      // Written anew, even the same would be styled anew.
      if (cell.getAttribute('tabindex') !== String(index)) cell.tabIndex = index;
    }
  }
}

export function startGrids(): void {
  soon(tendGrids);
  on('focusin', (event) => {
    if (hit(event, '[data-grid]')) tendGrids();
  });
  on('keydown', (event) => {
    const grid = hit(event, '[data-grid]');
    const cell = hit(event, 'a, button');
    if (!grid || !cell || event.altKey || event.metaKey) return;
    const to = target(grid, cell, event);
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
}

function target(grid: Element, cell: Cell, { key, ctrlKey }: KeyboardEvent): Cell | undefined {
  const rows = all('tr', grid)
    .map(cellsOf)
    .filter((cells) => cells.length > 0);
  const at = rows.findIndex((cells) => cells.includes(cell));
  const row = rows[at] ?? [];
  const inRow = row.indexOf(cell);
  const nearest = (cells: readonly Cell[] | undefined) =>
    cells?.find((other) => columnOf(other) >= columnOf(cell)) ?? cells?.at(-1);
  switch (key) {
    case 'ArrowRight':
      return row[inRow + 1];
    case 'ArrowLeft':
      return row[inRow - 1];
    case 'ArrowDown':
      return nearest(rows[at + 1]);
    case 'ArrowUp':
      return nearest(rows[at - 1]);
    case 'Home':
      return (ctrlKey ? rows[0] : row)?.[0];
    case 'End':
      return (ctrlKey ? rows.at(-1) : row)?.at(-1);
  }
  return undefined;
}
