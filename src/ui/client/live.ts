import { type Heard, listen } from './leader.ts';
import { type Facets, isNews, type Row, readAgain, showFacets, showRow } from './list.ts';
import { byId, on } from './page.ts';
import { countOn } from './times.ts';

const SILENCE_MS = 35_000;
const POLL_MS = 10_000;
const COUNT_MS = 30_000;
const LOOK_MS = 1_000;
/** After so many attempts the page asks by itself. */
const ENOUGH_FAILURES = 3;

/** Updates wait while the reader wants them to, and while a button is held down: it must not be exchanged under it. */
const held = new Map<string, () => void>();
let paused = false;
let pressed = false;
/** Which of them the reader would notice. */
const noticed = new Set<string>();
/** When something was heard last, by our clock; what the server's said then. */
let heardAt = Date.now();
let dataAt = clockOf(document.body.dataset.now);
let trouble = '';

function clockOf(iso: string | undefined): string {
  return (iso ?? '').slice(11, 16);
}

/** Keeps the page up to date as far as it wants to be. */
export function startLive(): void {
  setInterval(() => paused || countOn(), COUNT_MS);
  const wish = new URLSearchParams(document.body.dataset.live);
  const topics = wish.getAll('topics');
  if (topics.length === 0) return;
  startPause();
  setInterval(showState, LOOK_MS);
  on('pointerdown', () => {
    pressed = true;
  });
  for (const name of ['pointerup', 'pointercancel'] as const) on(name, () => setTimeout(release));
  // Locks need a secure context; without them each page that is looked at asks for itself.
  if ('locks' in navigator) listen({ topics, since: wish.get('since') ?? '', hear });
  else setInterval(() => document.visibilityState === 'visible' && take('page', again), POLL_MS);
  showState();
}

function hear({ name, data }: Heard): void {
  if (name !== 'lost') heardAt = Date.now();
  if (name === 'lost') tryWithout(data.failures ?? 0);
  else if (name === 'end') trouble = 'Signed out';
  else if (name === 'beat') beat(data as { at: string; ok: boolean });
  else if (name === 'row') takeRow(data as Row);
  else if (name === 'facets') take('facets', () => showFacets(data as Facets), false);
  else take('page', again);
  showState();
}

/** Something on the way may let no streams through. */
function tryWithout(failures: number): void {
  if (failures >= ENOUGH_FAILURES) take('page', again);
}

function beat({ at, ok }: { at: string; ok: boolean }): void {
  if (!paused) dataAt = clockOf(at);
  trouble = ok ? '' : 'The store does not answer';
}

async function again(): Promise<void> {
  try {
    await readAgain();
    heardAt = Date.now();
    dataAt = clockOf(new Date().toISOString());
  } catch {
    // Silence says it.
  }
  showState();
}

/** After a connection is opened again rows come that the page may show already. */
function takeRow(row: Row): void {
  take(row.id, () => showRow(row), isNews(row));
}

function take(key: string, act: () => void, isNoticed = true): void {
  if (!paused && !pressed) act();
  else {
    if (isNoticed) noticed.add(key);
    held.set(key, act);
  }
}

function release(): void {
  pressed = false;
  if (paused) return;
  const acts = [...held.values()];
  held.clear();
  noticed.clear();
  for (const act of acts) act();
}

function startPause(): void {
  const button = byId('pause');
  button?.addEventListener('click', () => {
    paused = !paused;
    button.ariaPressed = String(paused);
    button.textContent = paused ? 'Go on' : 'Pause';
    release();
    if (!paused) countOn();
    showState();
  });
}

function showState(): void {
  const place = byId('live');
  if (!place) return;
  const text = stateText();
  if (place.textContent !== text) place.textContent = text;
  place.classList.toggle('late', text.startsWith('!'));
}

function stateText(): string {
  if (paused) return `Paused at ${dataAt}, ${noticed.size} update${noticed.size === 1 ? '' : 's'} waiting`;
  if (Date.now() - heardAt > SILENCE_MS) return `! Reconnecting, data from ${dataAt}`;
  return trouble ? `! ${trouble}, data from ${dataAt}` : `✓ Live ${dataAt}`;
}
