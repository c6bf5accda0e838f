/** Bitbucket shows HTML as it is written; what it hides are links that nobody follows. */
const COMMENT = /^<!-- ([\w: .-]+) -->$/gm;
const HIDDEN = /^\[\/\/\]: # \(([\w: .-]+)\)$/gm;

/** Our Markdown as Bitbucket reads it: without HTML. */
export function toBitbucket(text: string): string {
  return text
    .replace(COMMENT, '[//]: # ($1)')
    .replace(/^<summary>(.*)<\/summary>$/gm, '**$1**')
    .replace(/^<\/?details>\n?/gm, '');
}

/** What hides in a comment as we wrote it; all other text is what people see. */
export function fromBitbucket(text: string): string {
  return text.replace(HIDDEN, '<!-- $1 -->');
}
