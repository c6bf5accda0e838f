import { type OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Nothing from elsewhere and nothing inline; forms go nowhere else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
];
const A_YEAR_SECONDS = 31_536_000;
const UNUSED_ABILITIES = ['camera', 'microphone', 'geolocation', 'payment', 'usb', 'display-capture'];

export type Header = [name: string, value: string];

/**
 * @param publicUrl where people open this service
 * @param frameAncestors origins whose pages may show ours in a frame
 */
export function safeHeaders(publicUrl: string | undefined, frameAncestors: readonly string[]): Header[] {
  const ancestors = frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' ');
  return [
    ['Content-Security-Policy', [...POLICY, `frame-ancestors ${ancestors}`].join('; ')],
    ['Cache-Control', 'no-store'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Permissions-Policy', UNUSED_ABILITIES.map((ability) => `${ability}=()`).join(', ')],
    ...(publicUrl?.startsWith('https:')
      ? [['Strict-Transport-Security', `max-age=${A_YEAR_SECONDS}`] satisfies Header]
      : []),
  ];
}

/** Responses that leave with these headers, whoever answers and however, except where they say otherwise themselves. */
export function responseWith(headers: readonly Header[]) {
  const inOnePiece = headers.flat();
  return class extends ServerResponse {
    override writeHead(status: number, ...more: unknown[]): this {
      // Set one by one they cost several times as much: much for those who are only told that it arrived.
      if (more.length === 0 && this.getHeaderNames().length === 0) return super.writeHead(status, inOnePiece);
      for (const [name, value] of headers) if (!this.hasHeader(name)) this.setHeader(name, value);
      return super.writeHead(status, ...(more as [OutgoingHttpHeaders]));
    }
  };
}
