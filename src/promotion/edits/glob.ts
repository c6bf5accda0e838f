/**
 * Whether a path below a folder matches a pattern: `*` and `?` stay within a name, `**` is any number of folders. The
 * work grows with the product of both lengths, whatever the pattern.
 */
export function matchesGlob(path: string, pattern: string): boolean {
  return matches(path.split('/'), pattern.split('/'), {
    any: (part) => part === '**',
    fits: (name, part) => matches([...name], [...part], { any: (one) => one === '*', fits: fitsCharacter }),
  });
}

function fitsCharacter(character: string, wanted: string): boolean {
  return wanted === '?' || wanted === character;
}

/** One pass that remembers only the last wildcard: what an earlier one takes more of, the later one can take as well. */
function matches(
  names: readonly string[],
  wanted: readonly string[],
  { any, fits }: { any: (part: string) => boolean; fits: (name: string, part: string) => boolean },
): boolean {
  let [at, next, star, from] = [0, 0, -1, 0];
  while (at < names.length) {
    const part = wanted[next];
    if (part !== undefined && any(part)) {
      star = next++;
      from = at;
    } else if (part !== undefined && fits(names[at] ?? '', part)) {
      at += 1;
      next += 1;
    } else if (star >= 0) {
      next = star + 1;
      at = ++from;
    } else return false;
  }
  while (next < wanted.length && any(wanted[next] ?? '')) next += 1;
  return next === wanted.length;
}
