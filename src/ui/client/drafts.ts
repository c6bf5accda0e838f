import { all, hit, on, recall, remember, soon } from './page.ts';

const FIELDS = 'form[method="post"] :is(textarea, input[name="reason"])';
type Field = HTMLTextAreaElement | HTMLInputElement;

/** What is decided, and where: a page may have several such forms. */
function keyOf({ form, name }: Field): string {
  const fields = all<HTMLInputElement>('[name="stage"], [name="verdict"]', form ?? document);
  return `draft ${[form?.getAttribute('action'), ...fields.map(({ value }) => value), name].join(' ')}`;
}

/** Puts back what was written and never sent, and the token of the session where many share a row. */
export function restoreFields(): void {
  restoreDrafts();
  shareToken();
}

/** Reads what the browser has to fetch first: not while the page is being drawn. */
function restoreDrafts(): void {
  for (const field of all<Field>(FIELDS))
    if (field.value === '') field.value = recall('sessionStorage', keyOf(field)) ?? '';
}

function shareToken(): void {
  const token = all<HTMLInputElement>('input[name="csrf"]').find(({ value }) => value !== '')?.value;
  for (const field of all<HTMLInputElement>('input[name="csrf"][value=""]')) field.value = token ?? '';
}

/** Reasons survive that the page is read again, until the tab is closed. */
export function keepDrafts(): void {
  shareToken();
  soon(restoreDrafts);
  on('input', (event) => {
    const field = hit<Field>(event, FIELDS);
    if (field) remember('sessionStorage', keyOf(field), field.value);
  });
}
