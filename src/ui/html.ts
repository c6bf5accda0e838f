/** Text that is HTML already; only `html` makes it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = Html | string | number | undefined | false | null | readonly Content[];

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

/** A link, where the address is one that is safe to follow; the bare text otherwise. */
export function link(href: string, text: string): Html {
  return SAFE.test(href) ? html`<a href="${href}">${text}</a>` : html`${text}`;
}
