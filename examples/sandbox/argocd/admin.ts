import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../exchange.ts';
import type { Controller } from './controller.ts';
import type { Fault, Faults } from './faults.ts';
import type { Notifier } from './notifier.ts';
import type { HealthStatus } from './resources.ts';

interface Sandbox {
  controller: Controller;
  faults: Faults;
  requests: readonly Exchange[];
  notifier: Notifier | undefined;
}

/**
 * The wires behind the stage, for tests that run the sandbox as a process of its own:
 * `GET /sandbox/state`, `GET /sandbox/requests`, `POST /sandbox/faults|notifications|health|window`.
 */
export async function adminRoute(
  request: IncomingMessage,
  url: URL,
  body: string,
  sandbox: Sandbox,
): Promise<{ status: number; body: unknown }> {
  if (!/^(?:::ffff:)?127\.|^::1$/.test(request.socket.remoteAddress ?? '')) return { status: 403, body: {} };
  const { controller, faults, requests, notifier } = sandbox;
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /sandbox/state':
      return done({ syncs: controller.syncs, applications: controller.objects(), notifications: notifier?.stats });
    case 'GET /sandbox/requests':
      return done(requests);
    case 'POST /sandbox/faults':
      faults.next(JSON.parse(body) as Fault);
      return done({});
    case 'POST /sandbox/notifications':
      notifier?.disturb(JSON.parse(body) as { drop?: boolean; duplicates?: number });
      return done({});
    case 'POST /sandbox/health': {
      const { name, health } = JSON.parse(body) as { name: string; health?: HealthStatus };
      await controller.setHealth(name, health);
      return done({});
    }
    case 'POST /sandbox/window': {
      const { name, closed } = JSON.parse(body) as { name: string; closed: boolean };
      controller.setWindow(name, closed);
      return done({});
    }
    default:
      return { status: 404, body: {} };
  }
}

function done(body: unknown) {
  return { status: 200, body };
}
