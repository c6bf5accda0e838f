import { hit, on } from './page.ts';
import { say } from './say.ts';

/** Buttons that put a text where it can be pasted. */
export function offerCopies(): void {
  on('click', async (event) => {
    const button = hit(event, '[data-copy]');
    if (!button) return;
    const [text, label] = [button.dataset.copy ?? '', button.textContent];
    const done = await write(text);
    button.textContent = done ? 'Copied' : 'Not copied';
    say(button.textContent);
    setTimeout(() => {
      button.textContent = label;
    }, 2_000);
  });
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writeOldStyle(text);
  }
}

/** Without a secure context there is no other way. */
function writeOldStyle(text: string): boolean {
  const field = document.createElement('textarea');
  const focused = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return done;
}
