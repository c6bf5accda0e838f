import { isIP } from 'node:net';
import type { Request, Response } from 'express';

export interface CookieTools {
  /** Where people open this service. */
  publicUrl?: string | undefined;
}

/** Cookies that only this very host gets back, by HTTPS, and that no script reads. */
export interface Cookies {
  read(request: Request, name: string): string | undefined;
  /** Without a time it ends with the browser. */
  set(request: Request, response: Response, name: string, value: string, seconds?: number): void;
  clear(request: Request, response: Response, name: string): void;
}

/**
 * `__Host-` keeps sister sites and plain HTTP from setting such a cookie. On this very machine, without TLS, browsers
 * would refuse it: there, and only there, it goes without.
 */
export function createCookies({ publicUrl }: CookieTools): Cookies {
  const always = publicUrl?.startsWith('https:') === true;

  function write(request: Request, response: Response, name: string, value: string, age: string): void {
    const open = !always && isThisMachine(request);
    const cookie = `${open ? '' : '__Host-'}${name}=${value}; Path=/${age}; HttpOnly; SameSite=Lax${open ? '' : '; Secure'}`;
    response.append('Set-Cookie', cookie);
  }

  return {
    read(request, name) {
      const wanted = `${!always && isThisMachine(request) ? '' : '__Host-'}${name}`;
      for (const one of (request.headers.cookie ?? '').split(';')) {
        const at = one.indexOf('=');
        if (at > 0 && one.slice(0, at).trim() === wanted) return one.slice(at + 1).trim();
      }
      return undefined;
    },
    set: (request, response, name, value, seconds) =>
      write(request, response, name, value, seconds === undefined ? '' : `; Max-Age=${seconds}`),
    clear: (request, response, name) => write(request, response, name, '', '; Max-Age=0'),
  };
}

/** Both ends: a service behind a proxy on this machine is still called by its name. */
function isThisMachine(request: Request): boolean {
  const host = request.headers.host ?? '';
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return (hostname === 'localhost' || isLoopback(hostname)) && isLoopback(request.socket.remoteAddress ?? '');
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, '').replace(/^::ffff:/, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}
