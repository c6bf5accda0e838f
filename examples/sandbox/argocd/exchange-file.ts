import { appendFileSync } from 'node:fs';
import { EXCHANGES } from './server.ts';

/**
 * In a process of its own: writes every exchange of its sandboxes, one JSON a line, to the file that
 * SANDBOX_ARGOCD_EXCHANGES names, for the test that started the process.
 */
export function writeExchanges(file: string | undefined): void {
  if (file === undefined) return;
  EXCHANGES.subscribe((exchange) => appendFileSync(file, `${JSON.stringify(exchange)}\n`));
}
