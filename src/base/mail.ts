import { derivedId } from './ids.ts';

const ADDRESS = /^[^\s@<>]{1,64}@[^\s@<>]{1,190}$/;

/** What stands for a mail address wherever somebody has to be recognised by it; `undefined`: it is none. */
export function mailId(address: string): string | undefined {
  const clean = address.trim().toLowerCase();
  return ADDRESS.test(clean) ? derivedId('mail', clean) : undefined;
}
