import { channel } from 'node:diagnostics_channel';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Exchange, newExchange } from '../../examples/sandbox/exchange.ts';

/** The sandbox's own, by its name: who needs a fake needs no sandbox. */
const EXCHANGES = channel('lynceus:sandbox-argocd-exchange');

export interface FakeAnswer {
  status?: number;
  text: string;
  /** Default JSON. */
  contentType?: string;
  headers?: Readonly<Record<string, string>>;
  /** The answer does not end. */
  stayOpen?: boolean;
  /** Why Argo CD never answers so; without it, the answer is held to its swagger.json. */
  broken?: string;
}

export interface FakeArgoCd extends AsyncDisposable {
  url: string;
  /** Somebody went away. */
  closed: Promise<void>;
}

/**
 * A server in Argo CD's place, for answers that the sandbox cannot give. Whatever is said to it and by it is
 * witnessed as with the sandbox.
 */
export async function fakeArgoCd(
  answerTo: FakeAnswer | ((path: string) => FakeAnswer),
  certificate?: { cert: Buffer; key: Buffer },
): Promise<FakeArgoCd> {
  let onClosed: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    onClosed = resolve;
  });
  const listener: RequestListener = (request, response) => {
    response.once('close', onClosed);
    void answer(request, response, answerTo).catch(() => response.destroy());
  };
  const server: Server = certificate ? createTlsServer(certificate, listener) : createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: certificate ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    closed,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  answerTo: FakeAnswer | ((path: string) => FakeAnswer),
): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const exchange = newExchange(request, new URL(request.url ?? '/', 'http://fake'), body);
  const said = typeof answerTo === 'function' ? answerTo(exchange.path) : answerTo;
  const { status = 200, text, contentType = 'application/json', headers, stayOpen, broken } = said;
  const told: Exchange = { ...exchange, status, contentType, responseBody: text };
  if (broken !== undefined) told.broken = broken;
  response.once('close', () => EXCHANGES.publish(told));
  response.writeHead(status, { 'Content-Type': contentType, ...headers });
  if (stayOpen) response.write(text);
  else response.end(text);
}
