import type { Request } from 'express';

/**
 * Who sent a request: the proxies in front of us that we trust each added one address at the end of
 * `X-Forwarded-For`; what stands before those, anybody may have written.
 *
 * @param trustedProxies how many there are
 */
export function clientAddress(request: Request, trustedProxies: number): string {
  const direct = request.socket.remoteAddress ?? '';
  if (trustedProxies === 0) return direct;
  const forwarded = request.headers['x-forwarded-for'];
  const hops = String(forwarded ?? '')
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '');
  return hops.at(-trustedProxies) ?? hops[0] ?? direct;
}
