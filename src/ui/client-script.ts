import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';

const IMPORT = /^import [^;]*? from '(\.[^']+)';$/gm;

/** A module of the browser and all that it imports as one file: one request, and nothing to install for it. */
export function clientScript(entry: string): string {
  const modules = new Map<string, string>();
  gather(entry, modules);
  return [...modules.values()].join('\n');
}

/** What a module imports stands before it. */
function gather(file: string, modules: Map<string, string>): void {
  if (modules.has(file)) return;
  const source = readFileSync(file, 'utf8');
  const text = file.endsWith('.ts') ? stripTypeScriptTypes(source) : source;
  // Holds its place while what it imports comes first.
  modules.set(file, '');
  for (const [, specifier = ''] of text.matchAll(IMPORT)) gather(path.join(path.dirname(file), specifier), modules);
  modules.delete(file);
  modules.set(file, compact(text));
}

/** Without imports, exports, comments and indentation: in one file the names of all modules are the same names. */
function compact(text: string): string {
  return text
    .replace(IMPORT, '')
    .split('\n')
    .map((line) => line.trim().replace(/^export (?=(?:async )?function|const|let|class)/, ''))
    .filter((line) => line !== '' && !/^(?:\/\/|\/\*\*|\*)/.test(line))
    .join('\n');
}
