const LEFT_OUT = '_The rest is too long for this Git host; Lynceus has all of it._';

/**
 * A description as a host takes it: at most so many characters. What is left out is said, whole paragraphs go, and
 * the last one stays: it has the trailers.
 */
export function fitText(text: string, most: number): string {
  if (text.length <= most) return text;
  const paragraphs = text.split('\n\n');
  const end = `${LEFT_OUT}\n\n${paragraphs.pop() ?? ''}`;
  let kept = '';
  let open = '';
  for (const paragraph of paragraphs) {
    open += `${paragraph}\n\n`;
    if (kept.length + open.length + end.length > most) break;
    // What folds is kept as a whole.
    if (count(open, '<details>') > count(open, '</details>')) continue;
    kept += open;
    open = '';
  }
  return `${kept}${end}`.slice(0, most);
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
