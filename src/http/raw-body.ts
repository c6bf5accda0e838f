import type { RequestHandler } from 'express';
import { Refusal } from './problem.ts';

/**
 * Reads the body as bytes into `request.body`, whatever its media type says. In place of `express.raw`,
 * which costs several times as much where notifications come in thousands. Compressed bodies are
 * refused: they could grow a thousandfold.
 */
export function rawBody(maxBytes: number): RequestHandler {
  return (request, _response, next) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
      throw new Refusal(415, 'encoded-body', 'send the body without Content-Encoding');
    // A session's form was read already, for what it carries: it does not come once more.
    if (request.readableEnded) return next();
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // The rest is read too, for as long as a request may take: who still writes does not hear an answer.
      if (bytes > maxBytes) chunks.length = 0;
      else chunks.push(chunk);
    });
    request.on('end', () => {
      if (bytes > maxBytes)
        return next(new Refusal(413, 'too-large', `the body is larger than ${maxBytes} bytes: send less`));
      request.body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
      next();
    });
    request.on('error', () => {
      if (!request.readableEnded) next(new Refusal(400, 'invalid-request', 'the body ended early'));
    });
  };
}
