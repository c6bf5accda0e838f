import type { Request, Response } from 'express';
import { newId, sha256 } from '../../base/ids.ts';
import type { Live } from '../../runtime/live.ts';
import type { Frame } from '../../ui/frame.ts';

/** Pages also tell of what is not in the log of changes: they are drawn anew at least this often. */
const AT_LEAST_EVERY_MS = 60_000;
/** Another version of the programme draws other pages. */
const STARTED = newId();

/**
 * For pages that are asked for again and again: answers 304 and true where nothing has changed for this reader since the
 * answer that they have. Call it before anything is read.
 */
export function isNotModified(
  request: Request,
  response: Response,
  live: Pick<Live, 'position'>,
  { now, live: _live, ...frame }: Frame,
): boolean {
  const period = Math.floor(Date.parse(now) / AT_LEAST_EVERY_MS);
  const tag = `W/"${sha256(JSON.stringify([STARTED, live.position(), period, frame])).slice(0, 22)}"`;
  response.setHeader('ETag', tag);
  if (request.get('If-None-Match') !== tag) return false;
  response.status(304).end();
  return true;
}
