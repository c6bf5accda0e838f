import { hit, on } from './page.ts';

/** Shows the label of a cell beside it, on focus as on hover; Escape takes it away, the pointer may go onto it. */
export function startTips(): void {
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  // It is the name of the cell already.
  tip.ariaHidden = 'true';
  document.body.append(tip);
  const show = (event: Event) => {
    const cell = hit(event, '[data-tips] [aria-label]');
    if (!cell) {
      if (!tip.contains(event.target as Node)) tip.hidden = true;
      return;
    }
    tip.textContent = cell.ariaLabel;
    tip.hidden = false;
    const { left, bottom } = cell.getBoundingClientRect();
    tip.style.top = `${bottom + scrollY}px`;
    tip.style.left = `${Math.max(0, Math.min(left, innerWidth - tip.offsetWidth - 20)) + scrollX}px`;
  };
  on('pointerover', show);
  on('focusin', show);
  on('keydown', ({ key }) => {
    if (key === 'Escape') tip.hidden = true;
  });
}
