import { parseEnvironment } from '../config/environment.ts';
import { openStore } from '../store/open.ts';
import { EXIT, type Terminal } from './command.ts';

/** Brings the store's schema up to date; the service does the same when it starts. */
export async function migrate(terminal: Terminal): Promise<number> {
  const environment = parseEnvironment(terminal.env, terminal.sources.readFile);
  if (!environment.ok) {
    for (const problem of environment.problems) terminal.err(problem);
    return EXIT.configuration;
  }
  const { dataDir, databaseUrl } = environment.value;
  const store = await openStore({ dataDir, ...(databaseUrl ? { databaseUrl } : {}) });
  await store.close();
  terminal.out(`The ${store.kind} store is up to date.`);
  return EXIT.ok;
}
