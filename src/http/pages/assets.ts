import { gzipSync } from 'node:zlib';
import { type RequestHandler, Router } from 'express';
import { ASSETS, type Asset } from '../../ui/assets.ts';
import { anyone } from '../access.ts';
import { Refusal } from '../problem.ts';

const A_YEAR_SECONDS = 365 * 24 * 60 * 60;

/** What pages refer to. An address names its content, so whoever has it once never asks again. */
export function assetRoutes(): Router {
  const router = Router();
  const byAddress = new Map(ASSETS.map((asset) => [asset.address, send(asset)]));
  router.get('/assets/:name', anyone, (request, response) => {
    const sendAsset = byAddress.get(request.path);
    // Pages of an older version may ask for what it had: they are told at once, and nobody keeps the answer.
    if (!sendAsset)
      throw new Refusal(404, 'not-found', `there is no ${request.path} in this version: load the page again`);
    sendAsset(request, response, () => undefined);
  });
  return router;
}

/** Packed once: what is in it is the same for everybody, and no secret. */
function send({ address, type, body }: Asset): RequestHandler {
  const packed = gzipSync(body, { level: 9 });
  return (request, response) => {
    const tag = `"${address.slice(address.lastIndexOf('/') + 1)}"`;
    response.setHeader('Cache-Control', `public, max-age=${A_YEAR_SECONDS}, immutable`);
    response.setHeader('ETag', tag);
    if (request.get('If-None-Match') === tag) {
      response.status(304).end();
      return;
    }
    response.setHeader('Vary', 'Accept-Encoding');
    response.type(type);
    if (request.acceptsEncodings('gzip') === 'gzip') response.setHeader('Content-Encoding', 'gzip').send(packed);
    else response.send(body);
  };
}
