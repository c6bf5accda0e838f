import { sayAge } from '../parts/age.ts';
import { all } from './page.ts';

/** The reader's clock may be wrong; the page says what the server's was. */
const ahead = Date.now() - Date.parse(document.body.dataset.now ?? '');

/** Counts on what says how long it is since a moment. */
export function countOn(): void {
  for (const time of all<HTMLTimeElement>('time[data-since]')) {
    const text = sayAge(Date.now() - (ahead || 0) - Date.parse(time.dataset.since ?? ''));
    if (time.textContent !== text) time.textContent = text;
  }
}
