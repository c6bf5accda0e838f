import { Lexer } from 'yaml';

/** What the lexer puts before content, and between documents. */
const MARKS = ['\u0002', '\u0018', '\u001f'];
const CONTENT = '\u001f';
const BYTE_ORDER_MARK = '\ufeff';

/**
 * The first tab that stands where Go's yaml.v3 wants spaces: at the start of a line, or after "-" and "?",
 * outside of brackets and quotes. Behind a plain scalar it is a blank once it is indented far enough.
 */
export function tabAsIndentation(text: string): number | undefined {
  if (!text.includes('\t')) return undefined;
  const walk = new Walk();
  let mark = '';
  for (const source of new Lexer().lex(text)) {
    if (!MARKS.includes(source)) {
      const tab = mark === CONTENT ? walk.scalar(source) : walk.token(source);
      if (tab !== undefined) return walk.offset + tab;
      walk.advance(source);
    }
    mark = source;
  }
  return undefined;
}

/** Where the walk over the tokens is; columns count from 0. */
class Walk {
  offset = 0;
  #lineStart = 0;
  #brackets = 0;
  /** Whether a key could begin here, and a tab could not. */
  #strict = true;
  /** Column of the mapping or list that is being read. */
  #indent = 0;
  /** Column of the scalar that was read last, which may turn out to be a key. */
  #key = 0;
  #afterPlain = false;

  /** In the lines that continue it. */
  scalar(source: string): number | undefined {
    this.#key = this.#column;
    this.#afterPlain = true;
    this.#strict = false;
    if (this.#brackets > 0) return undefined;
    const shallow = [...source.matchAll(/\n( *)\t/g)].find(([, spaces = '']) => spaces.length <= this.#indent);
    return shallow && shallow.index + shallow[0].length - 1;
  }

  token(source: string): number | undefined {
    if (/^[ \t]+$/.test(source)) return this.#blanks(source);
    if (/^\r?\n$/.test(source)) this.#strict = true;
    else this.#sign(source);
    return undefined;
  }

  advance(source: string): void {
    const line = source.lastIndexOf('\n');
    if (line >= 0) this.#lineStart = this.offset + line + 1;
    this.offset += source.length;
  }

  get #column(): number {
    return this.offset - this.#lineStart;
  }

  #blanks(source: string): number | undefined {
    const tab = source.indexOf('\t');
    const deep = this.#afterPlain && this.#column + tab > this.#indent;
    return tab < 0 || deep || !this.#strict || this.#brackets > 0 ? undefined : tab;
  }

  #sign(source: string): void {
    if (source === '{' || source === '[') this.#brackets++;
    if (source === '}' || source === ']') this.#brackets--;
    if (source === '-') this.#indent = this.#column;
    if (source === ':') this.#indent = this.#key;
    if (/^["']/.test(source)) this.#key = this.#column;
    this.#afterPlain = false;
    this.#strict = source === '-' || source === '?' || source === BYTE_ORDER_MARK;
  }
}
