import { ConfigurationError, startApp } from '../app.ts';
import { parseEnvironment } from '../config/environment.ts';
import type { Failpoint } from '../runtime/failpoint.ts';
import { EXIT, type Terminal } from './command.ts';

/** Runs the service until it is told to stop. */
export async function serve(terminal: Terminal): Promise<number> {
  const environment = parseEnvironment(terminal.env, terminal.sources.readFile);
  if (!environment.ok) {
    for (const problem of environment.problems) terminal.err(problem);
    return EXIT.configuration;
  }
  try {
    const failpoint = failpointFor(environment.value.crashAt, terminal);
    const app = await startApp({ environment: environment.value, sources: terminal.sources, failpoint });
    terminal.serving?.();
    await stopped(terminal.stop);
    await app.stop();
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ConfigurationError) {
      terminal.err(error.message);
      return EXIT.configuration;
    }
    terminal.err(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  }
}

/** `name` dies the first time it is passed, `name:3` the third time. */
function failpointFor(crashAt: string | undefined, terminal: Terminal): Failpoint {
  const [wanted, nth = '1'] = (crashAt ?? '').split(':');
  let seen = 0;
  return (name) => {
    if (name === wanted && ++seen === Number(nth)) terminal.die();
  };
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
