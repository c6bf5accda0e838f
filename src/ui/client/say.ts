import { byId } from './page.ts';

const EVERY_MS = 10_000;
let waiting = '';
let more = 0;
let busy = false;

/** Reads something out to those who hear the page: the newest, at most every ten seconds. */
export function say(text: string): void {
  more += waiting === '' ? 0 : 1;
  waiting = text;
  if (!busy) speak();
}

function speak(): void {
  const place = byId('said');
  busy = waiting !== '';
  if (!busy || !place) return;
  place.textContent = more > 0 ? `${waiting}; ${more} more` : waiting;
  waiting = '';
  more = 0;
  setTimeout(speak, EVERY_MS);
}
