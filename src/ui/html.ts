/** Text that is HTML already; only `html` makes it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Html | string | number | undefined | false | null | readonly Content[];

/** Builds HTML in which everything that is put in is escaped, unless it is HTML itself. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(parts.reduce((whole, part, at) => whole + render(contents[at - 1]) + part));
}

function render(content: Content): string {
  if (content instanceof Html) return content.text;
  if (Array.isArray(content)) return content.map(render).join('');
  if (content === undefined || content === null || content === false) return '';
  return escapeText(String(content));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

/** Whole web addresses and paths of our own; browsers read `\` as `/`, and skip tabs and line breaks. */
const SAFE = /^(?:https?:\/\/|\/(?!\/))[^\s\\\p{Cc}]*$/iu;

/** Whether a browser may be sent there: a whole web address, or a path of our own. */
export function isSafeAddress(href: string): boolean {
  return SAFE.test(href);
}

/**
 * A link, where the address is one that is safe to follow; the bare content otherwise. `key`: by which an update of the
 * page finds it again when it had the focus.
 */
export function link(href: string | undefined, content: Content, key?: string): Html {
  if (href === undefined || !isSafeAddress(href)) return html`${content}`;
  return html`<a href="${href}"${key === undefined ? undefined : html` data-k="${key}"`}>${content}</a>`;
}

/** Things in a row with something between them; what is absent is left out with its separator. */
export function joined(contents: readonly Content[], separator: Content = ' · '): Html {
  const present = contents.filter((one) => one !== undefined && one !== null && one !== false && one !== '');
  return html`${present.flatMap((one, at) => (at === 0 ? [one] : [separator, one]))}`;
}
