type Labels = Readonly<Record<string, string>>;

const SET = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/;
const EQUAL = /^([^\s=!]+)\s*(==|=|!=)\s*([\w.-]*)$/;
const EXISTS = /^(!?)\s*([\w./-]+)$/;

/** A Kubernetes label selector: `a`, `!a`, `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, joined by commas. */
export function parseSelector(text: string): (labels: Labels) => boolean {
  const parts = text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const tests = parts.map(parseRequirement);
  return (labels) => tests.every((test) => test(labels));
}

function parseRequirement(text: string): (labels: Labels) => boolean {
  const set = SET.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labels[key] ?? '') === (operator === 'in');
  }
  const equal = EQUAL.exec(text);
  if (equal) {
    const [, key = '', operator, value = ''] = equal;
    return (labels) => (labels[key] === value) === (operator !== '!=');
  }
  const exists = EXISTS.exec(text);
  if (!exists) throw new Error(`unable to parse requirement: found '${text}'`);
  return (labels) => (labels[exists[2] ?? ''] !== undefined) === (exists[1] === '');
}
