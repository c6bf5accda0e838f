import { suggest } from '../definitions/suggest.ts';
import type { Comment } from './people.ts';

export const COMMAND_NAMES = ['hold', 'resume', 'retry', 'promote', 'override'] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** What somebody wrote to us in a comment. */
export type Command =
  | { ok: true; name: CommandName; reason: string }
  /** It was meant for us, but says nothing that can be done; `message` tells them why. */
  | { ok: false; message: string };

const MAX_REASON = 500;
/** A comment may be as long as the host allows; what is meant for us stands near its beginning. */
const MAX_LINES = 500;
const OURS = /^\/lynceus(?=\s|$)/;
const RAW_HTML = /^ {0,3}<(pre|script|style|textarea|blockquote|details|code)\b/i;

/**
 * The command in a comment; `undefined`: it has none. One counts only at the very start of a line that people see as
 * a line of its own: not in a quote, not in code, not in what HTML hides, and not in a comment that was changed after
 * it was written.
 */
export function commandIn({ body, edited }: Pick<Comment, 'body' | 'edited'>): Command | undefined {
  const found = visibleLines(body).filter((line) => OURS.test(line));
  const [line] = found;
  if (line === undefined) return undefined;
  if (edited) return refuse('a comment that was changed after it was written is not obeyed: write a new one');
  if (found.length > 1) return refuse('one comment, one command: write a comment for each');
  return parse(line.replace(OURS, '').trim());
}

function parse(text: string): Command {
  const [word = '', ...rest] = text.split(/\s+/);
  const reason = rest.join(' ').slice(0, MAX_REASON);
  const name = COMMAND_NAMES.find((known) => known === word);
  if (name === undefined) return refuse(sayUnknown(word));
  if (name === 'override' && reason === '') return refuse('say why: `/lynceus override REASON`');
  return { ok: true, name, reason };
}

function sayUnknown(word: string): string {
  const meant = suggest(word, COMMAND_NAMES);
  const known = COMMAND_NAMES.map((name) => `\`/lynceus ${name}\``).join(', ');
  return meant === undefined ? `the commands are ${known}` : `did you mean \`/lynceus ${meant}\`?`;
}

function refuse(message: string): Command {
  return { ok: false, message };
}

/** Lines of the text's own paragraphs, in the manner of Markdown; in doubt a line is left out. */
function visibleLines(body: string): string[] {
  const visible: string[] = [];
  let fence: string | undefined;
  let html: RegExp | undefined;
  /** What began further up in the same paragraph goes on until a blank line. */
  let swallowed = false;
  for (const line of body.split(/\r\n|\r|\n/).slice(0, MAX_LINES)) {
    if (fence !== undefined) {
      if (closes(line, fence)) fence = undefined;
      continue;
    }
    if (html !== undefined) {
      if (html.test(line)) html = undefined;
      continue;
    }
    if (line.trim() === '') {
      swallowed = false;
      continue;
    }
    fence = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== undefined) continue;
    html = opensHtml(line);
    // A quote goes on into the lines below it, and a piece of code may end there.
    const begins = /^ {0,3}>/.test(line) || line.includes('`') || line.includes('<');
    if (!swallowed && !/^\s/.test(line)) visible.push(line);
    swallowed ||= begins;
  }
  return visible;
}

function closes(line: string, fence: string): boolean {
  const found = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
  return found !== undefined && found[0] === fence[0] && found.length >= fence.length;
}

/** What ends the block of HTML that a line begins, unless the line ends it itself. */
function opensHtml(line: string): RegExp | undefined {
  const comment = line.lastIndexOf('<!--');
  if (comment >= 0) return line.includes('-->', comment) ? undefined : /-->/;
  const tag = RAW_HTML.exec(line)?.[1];
  if (tag === undefined) return undefined;
  const end = new RegExp(`</${tag}\\s*>`, 'i');
  return end.test(line) ? undefined : end;
}
