/** Invisible, but it keeps `@name` from being a mention and `#12` from being a reference. */
const BREAK = '\u200B';
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * A foreign text (a commit's subject, a name, an error) as one harmless line of Markdown: no HTML, no
 * link, no mention (it would notify people), no reference (it could close an issue), no new table cell
 * and no new line. At most `max` characters of it are kept.
 */
export function inline(text: string, max: number): string {
  return oneLine(text, max)
    .replaceAll('`', "'")
    .replace(/[\\*_[\]|~$]/g, '\\$&')
    .replace(/[&<>]/g, (character) => ENTITIES[character] ?? '')
    .replace(/[@#]/g, `$&${BREAK}`)
    .replace(/:\/\//g, `:${BREAK}//`)
    .replace(/\bwww\./gi, `www${BREAK}.`)
    .replace(/\bGH-(?=\d)/gi, `$&${BREAK}`);
}

/** A foreign text as one plain line, for titles and commit messages. */
export function plain(text: string, max: number): string {
  return oneLine(text, max).replaceAll('`', "'").replace(/[@#]/g, `$&${BREAK}`);
}

/** A table row; the cells are Markdown already. */
export function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A link to an address of our own; only its text when that is no http(s) URL. */
export function link(text: string, url: string): string {
  if (!url.isWellFormed() || !/^https?:\/\/[^\s<>"`\\|#]{1,1000}$/.test(url)) return text;
  return `[${text}](${url.replaceAll('(', '%28').replaceAll(')', '%29').replaceAll('@', '%40')})`;
}

/** Formatting characters (also those that turn the direction of text) vanish, every other gap is a space. */
function oneLine(text: string, max: number): string {
  const line = text
    .slice(0, max * 4)
    .toWellFormed()
    .replace(/\p{Cf}/gu, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  const characters = [...line];
  return characters.length > max ? `${characters.slice(0, max).join('')}…` : line;
}
