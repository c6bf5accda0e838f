import { createRebuildRoom } from '../app.ts';
import { systemClock } from '../base/clock.ts';
import { parseEnvironment } from '../config/environment.ts';
import { type RebuildProgress, rebuildHere } from '../runtime/rebuild.ts';
import { openStore } from '../store/open.ts';
import { askServer } from './changes.ts';
import { EXIT, type Terminal } from './command.ts';
import type { RebuildOptions } from './rebuild-options.ts';

const LOOK_EVERY_MS = 1_000;

/** Writes all rows anew from the log: by the service that is running, or here where none is. */
export function rebuild(terminal: Terminal, { server, token }: RebuildOptions): Promise<number> {
  return server === undefined
    ? rebuildStore(terminal)
    : rebuildThere(terminal, { server, ...(token ? { token } : {}) });
}

async function rebuildStore(terminal: Terminal): Promise<number> {
  const environment = parseEnvironment(terminal.env, terminal.sources.readFile);
  if (!environment.ok) {
    for (const problem of environment.problems) terminal.err(problem);
    return EXIT.configuration;
  }
  const { dataDir, databaseUrl } = environment.value;
  const store = await openStore({ dataDir, ...(databaseUrl ? { databaseUrl } : {}) });
  try {
    const room = createRebuildRoom(store, systemClock);
    const progress = await rebuildHere(room, systemClock.now(), (now) => terminal.out(sayProgress(now)));
    return progress.state === 'done' ? EXIT.ok : EXIT.failed;
  } finally {
    await store.close();
  }
}

async function rebuildThere(terminal: Terminal, options: { server: string; token?: string }): Promise<number> {
  const asked = await askServer<RebuildProgress>(options, 'POST', '/api/v1/rebuild', {});
  if (!asked.ok) {
    terminal.err(asked.message);
    return EXIT.failed;
  }
  for (;;) {
    const answer = await askServer<RebuildProgress>(options, 'GET', '/api/v1/rebuild', {});
    if (!answer.ok) {
      terminal.err(`${answer.message} The rebuild goes on there all the same.`);
      return EXIT.failed;
    }
    terminal.out(sayProgress(answer.data));
    if (answer.data.state === 'done') return EXIT.ok;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function sayProgress({ state, sequences, left }: RebuildProgress): string {
  if (state === 'reading') return `Reading the log: ${sequences} sequences so far.`;
  return state === 'done' ? `Done: ${sequences} sequences read, all rows are written.` : `${left} rows are left.`;
}
