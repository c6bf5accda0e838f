import { createServer } from 'node:net';

/** Below those that systems hand out by themselves: whoever asks for any port shall not get one that was found here. */
const [FROM, TO] = [10_000, 32_000];
const TRIES = 50;

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried++) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM));
    if (await isFree(port)) return port;
  }
  throw new Error('no port was free');
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
