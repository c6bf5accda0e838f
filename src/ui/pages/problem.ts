import type { Frame } from '../frame.ts';
import { type Html, html } from '../html.ts';
import { page } from '../layout.ts';

/** A request that was refused, or failed. */
export interface Problem {
  status: number;
  code: string;
  title: string;
  /** What is wrong, in one sentence. */
  detail: string;
}

/** What went wrong, for people, and where to go from here. */
export function problemPage(frame: Frame, { status, code, title, detail }: Problem): string {
  const body = html`<h1>${title}</h1>
<p>${detail}</p>
${waysOn(frame, status)}
<p class="quiet">${status} · <code>${code}</code></p>`;
  return page(frame, title, body);
}

function waysOn({ signIn, path, viewer }: Frame, status: number): Html {
  const all = html`<a class="button" href="/changes">All changes</a>`;
  if (status === 401 && signIn !== undefined)
    return html`<p><a class="button" href="${signIn}?to=${encodeURIComponent(path)}">Sign in</a> ${all}</p>`;
  if (status === 403 && viewer !== undefined)
    return html`<p>You are ${viewer.name}, with ${viewer.roles.length === 0 ? 'no role' : `the roles ${viewer.roles.join(', ')}`}.</p><p>${all}</p>`;
  if (status === 404)
    return html`<p>A change can be found by its commit, digest, pull request, version or service: use the search above.</p><p>${all}</p>`;
  return html`<p>${all}</p>`;
}
