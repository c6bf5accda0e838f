import { all, byId, hit, on, recall, remember, soon } from './page.ts';

const SETTING = 'lynceus-keys';
const GO: Readonly<Record<string, string>> = {
  c: 'changes',
  f: 'fleet',
  e: 'evaluations',
  o: 'forecast',
  n: 'connections',
};
const GO_WITHIN_MS = 1_500;
let goes = 0;

function areOff(): boolean {
  return recall('localStorage', SETTING) === 'off';
}

/** Single keys. They can be turned off, for those whose voice types them. */
export function startKeys(): void {
  const button = byId('keys');
  const tell = () => {
    if (!button) return;
    button.ariaPressed = String(!areOff());
    button.textContent = `Single keys are ${areOff() ? 'off' : 'on'}`;
  };
  soon(tell);
  button?.addEventListener('click', () => {
    remember('localStorage', SETTING, areOff() ? 'on' : 'off');
    tell();
  });
  on('keydown', (event) => {
    if (areOff() || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (hit(event, 'input, textarea, select, dialog, [contenteditable]')) return;
    if (press(event.key)) event.preventDefault();
  });
}

function press(key: string): boolean {
  const went = Date.now() - goes < GO_WITHIN_MS;
  goes = key === 'g' ? Date.now() : 0;
  if (went && GO[key]) return follow(`nav a[href="/${GO[key]}"]`);
  if (key === 'j') return step(1);
  if (key === 'k') return step(-1);
  if (key === '/') return focus(byId('q'));
  if (key === '?') return openHelp();
  return false;
}

function follow(selector: string): boolean {
  all(selector)[0]?.click();
  return true;
}

function focus(element: HTMLElement | null | undefined): boolean {
  element?.focus();
  if (element instanceof HTMLInputElement) element.select();
  return element !== null && element !== undefined;
}

/** To the next row, from wherever in a row one is. */
function step(by: number): boolean {
  const rows = all('tr [data-k="open"]');
  const here = rows.findIndex((row) => row.closest('tr')?.contains(document.activeElement));
  return focus(here < 0 ? rows.at(by > 0 ? 0 : -1) : rows[here + by]);
}

/** The help of the page, where one is. */
function openHelp(): boolean {
  const text = byId('help')?.querySelector('.columns');
  if (!text?.parentElement) return false;
  const home = text.parentElement;
  const dialog = document.createElement('dialog');
  const close = document.createElement('button');
  close.textContent = 'Close';
  close.onclick = () => dialog.close();
  dialog.ariaLabel = 'Help';
  dialog.append(text, close);
  dialog.onclose = () => {
    home.append(text);
    dialog.remove();
  };
  document.body.append(dialog);
  dialog.showModal();
  return true;
}
