/** A sentence that says why a change waits has room for so many characters. */
const MAX_SENTENCE = 90;

/** On one line, and cut with an ellipsis where it is too long. */
export function clip(sentence: string, max: number = MAX_SENTENCE): string {
  const line = sentence.replace(/\s+/g, ' ').trim();
  return line.length <= max ? line : `${line.slice(0, max - 1).trimEnd()}…`;
}
