/** One step towards a value: a key of a mapping, a position in a list, or the item of a list that has a field. */
export type PathStep = string | number | { field: string; is: string };

const MAX_STEPS = 30;
const BARE_KEY = /^[^\s.[\]"'=]+/;
const BRACKET = /^\[(?:(\d{1,5})|"((?:[^"\\]|\\["\\])*)"|([^\s.[\]"'=]+)=(?:"((?:[^"\\]|\\["\\])*)"|([^\]"']+)))\]/;

/**
 * The steps of a path such as `image.tag`, `images[0].newTag`, `images[name=shop].newTag` or
 * `metadata.annotations["example.com/owner"]`; `undefined` when it is none.
 */
export function parseValuePath(text: string): PathStep[] | undefined {
  const steps: PathStep[] = [];
  let rest = text;
  while (rest !== '') {
    const bracket = BRACKET.exec(rest);
    const key = bracket ? undefined : BARE_KEY.exec(keyPart(rest, steps.length > 0));
    if (bracket) {
      steps.push(stepIn(bracket));
      rest = rest.slice(bracket[0].length);
    } else if (key) {
      steps.push(key[0]);
      rest = rest.slice(key[0].length + (steps.length > 1 ? 1 : 0));
    } else return undefined;
  }
  return steps.length === 0 || steps.length > MAX_STEPS ? undefined : steps;
}

/** As `parseValuePath` reads it. */
export function sayValuePath(steps: readonly PathStep[]): string {
  return steps.reduce<string>((said, step) => {
    if (typeof step === 'number') return `${said}[${step}]`;
    if (typeof step === 'object') return `${said}[${step.field}=${bare(step.is) ? step.is : JSON.stringify(step.is)}]`;
    if (!bare(step)) return `${said}[${JSON.stringify(step)}]`;
    return said === '' ? step : `${said}.${step}`;
  }, '');
}

/** After the first step a key follows a dot. */
function keyPart(rest: string, dotted: boolean): string {
  if (!dotted) return rest;
  return rest.startsWith('.') ? rest.slice(1) : '';
}

function stepIn([, index, quoted, field, isQuoted, is]: RegExpExecArray): PathStep {
  if (index !== undefined) return Number(index);
  if (quoted !== undefined) return withoutEscapes(quoted);
  return { field: field ?? '', is: isQuoted === undefined ? (is ?? '') : withoutEscapes(isQuoted) };
}

function withoutEscapes(text: string): string {
  return text.replace(/\\(["\\])/g, '$1');
}

function bare(text: string): boolean {
  return BARE_KEY.exec(text)?.[0] === text;
}
