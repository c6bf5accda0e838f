import type { ServerResponse } from 'node:http';
import compression from 'compression';
import { Router } from 'express';

/** Below that a packet is a packet. */
const WORTH_BYTES = 1_400;
/** What is drawn for each reader anew is packed quickly rather than tightly. */
const LEVEL = 4;

/**
 * Packs what the routers after it answer, where the reader takes that; a list of changes shrinks to a tenth. What a page
 * holds of a session, its CSRF token, is worth nothing without the cookie, and forms of other sites are refused anyway.
 */
export function compressed(): Router {
  const router = Router();
  router.use(
    compression({
      threshold: WORTH_BYTES,
      level: LEVEL,
      filter: (request, response) => isWhole(response) && compression.filter(request, response),
    }),
  );
  return router;
}

/** An event stream is read line by line: packed, its lines would wait for each other. */
function isWhole(response: ServerResponse): boolean {
  return !String(response.getHeader('Content-Type') ?? '').startsWith('text/event-stream');
}
