import type { Frame } from '../frame.ts';
import { type Html, html, link } from '../html.ts';
import { page } from '../layout.ts';

export interface SignInPage {
  /** What stands in the form, so that no other site can send it. */
  csrf: string;
  /** Where it goes afterwards. */
  to: string;
  /** The provider's button; absent: there is none. */
  provider?: { name: string; href: string };
  /** Why nobody is signed in. */
  problem?: string;
  /** Just signed out; where one also signs out of the provider. */
  signedOut?: { provider?: { name: string; href: string } };
  /** Whether the password of the log is asked for. */
  firstRun: boolean;
}

/** Where people say who they are. */
export function signInPage(frame: Frame, options: SignInPage): string {
  const { viewer } = frame;
  return page(
    frame,
    'Sign in',
    html`<h1>Sign in</h1>
${options.problem === undefined ? undefined : html`<p class="fail" role="alert">${options.problem}</p>`}
${options.signedOut === undefined ? undefined : signedOut(options.signedOut)}
${viewer === undefined ? undefined : html`<p>You are signed in as <strong>${viewer.name}</strong> (${viewer.roles.at(-1) ?? 'no role'}).</p>`}
${options.provider === undefined ? undefined : html`<p><a class="button main" href="${options.provider.href}">Sign in with ${options.provider.name}</a></p>`}
${tokenForm(options)}`,
  );
}

function tokenForm({ csrf, to, firstRun, provider }: SignInPage): Html {
  const [label, hint] = firstRun
    ? ['Password', 'Nobody has signed in here yet. The log of the service tells a password that is good once.']
    : ['API token', 'The session may do what the token may.'];
  return html`${provider === undefined ? undefined : html`<h2>Or with a token</h2>`}
<form method="post" action="/sign-in" class="decide">
<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="to" value="${to}">
<label>${label} <input type="password" name="token" required maxlength="500" autocomplete="current-password" spellcheck="false" aria-describedby="hint"></label>
<button class="main">Sign in</button>
<p id="hint" class="quiet">${hint}</p>
</form>`;
}

function signedOut({ provider }: { provider?: { name: string; href: string } }): Html {
  return html`<p role="status">You are signed out of Lynceus${
    provider === undefined
      ? '.'
      : html`. ${provider.name} may still know you: ${link(provider.href, 'sign out there, too')}.`
  }</p>`;
}
