import path from 'node:path';
import { parseDelivery } from '../definitions/delivery-yaml.ts';
import { parseOpenSlo } from '../definitions/openslo-yaml.ts';
import { type Parsed, sayProblem } from '../definitions/problem.ts';
import { parseSli } from '../definitions/sli-yaml.ts';
import { parseSlo } from '../definitions/slo-yaml.ts';
import { EXIT, type Terminal } from './command.ts';

type Parse = (text: string, file: string) => Parsed<unknown>;

/** Checks files as the service would; every mistake with file, line and column. */
export function validate(terminal: Terminal, files: readonly string[]): number {
  let bad = 0;
  for (const file of files) {
    const problems = problemsOf(terminal, file);
    for (const problem of problems) terminal.err(problem);
    if (problems.length === 0) terminal.out(`${file}: ok`);
    else bad++;
  }
  return bad === 0 ? EXIT.ok : EXIT.failed;
}

function problemsOf(terminal: Terminal, file: string): string[] {
  let text: string;
  try {
    text = terminal.sources.readFile(file);
  } catch {
    return [`${file}: cannot be read`];
  }
  const parse = parserFor(path.basename(file), text);
  if (!parse)
    return [`${file}: not a file that Lynceus knows (delivery.yaml, slo.yaml, sli.yaml, an OpenSLO document)`];
  const parsed = parse(text, file);
  return parsed.ok ? [] : parsed.problems.map(sayProblem);
}

/** By what the document says of itself, else by its name. */
function parserFor(name: string, text: string): Parse | undefined {
  if (/^kind:\s*Delivery\b/m.test(text)) return parseDelivery;
  if (/^(?:- )?\s*"?apiVersion"?:\s*"?openslo\//m.test(text)) return parseOpenSlo;
  if (/^objectives:/m.test(text)) return parseSlo;
  if (/^indicators:/m.test(text)) return parseSli;
  const byName: [RegExp, Parse][] = [
    [/delivery/, parseDelivery],
    [/openslo/, parseOpenSlo],
    [/slo/, parseSlo],
    [/sli/, parseSli],
  ];
  return byName.find(([pattern]) => pattern.test(name))?.[1];
}
