import type { ShownDiff, ShownFile } from '../engine/promotion-diff.ts';

interface Changed {
  path: string;
  additions: number;
  deletions: number;
  patch?: string;
}

const MAX_FILES = 5;
/** Of all files together: what a person takes in at once. */
const MAX_LINES = 40;
const MAX_LINE = 160;
const MAX_PATH = 200;

/** Files whose very name says that nobody should read them in passing. */
const SECRET_FILE = /secret|credential|password|\.(?:pem|key|p12|pfx|jks|env)$|(?:^|\/)\.env/i;
const SECRET_TEXT = /^[ +-]\s*(?:kind:\s*["']?\w*Secret|stringData:)|PRIVATE KEY/m;
const SECRET_VALUE =
  /((?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|private[-_]?key|credentials?|auth|dsn)["']?\s*[:=]\s*).+$/i;
/** An environment variable: its value stands in the next line. */
const SECRET_NAME = /name:.*(?:pass|secret|token|key|credential|dsn)/i;
const VALUE = /(value:\s*).+$/;
const SECRET_URL = /(\/\/)[^\s/@]+@/g;

/** What a page shows of the changed files: those with contents first. */
export function shownDiff({ files, totalFiles }: { files: readonly Changed[]; totalFiles: number }): ShownDiff {
  let room = MAX_LINES;
  const shown = files.slice(0, MAX_FILES).map((file): ShownFile => {
    const { path, additions, deletions } = file;
    const all = linesOf(file);
    const lines = all?.slice(0, room);
    room -= lines?.length ?? 0;
    return {
      ...{ path: path.slice(0, MAX_PATH), additions, deletions },
      ...(lines === undefined || lines.length === 0 ? {} : { lines }),
      ...(lines && all && all.length > lines.length ? { more: all.length - lines.length } : {}),
    };
  });
  return { files: shown, totalFiles: Math.max(totalFiles, files.length) };
}

function linesOf({ path, patch }: Changed): string[] | undefined {
  if (patch === undefined || SECRET_FILE.test(path) || SECRET_TEXT.test(patch)) return undefined;
  const lines = patch.split('\n');
  return lines.flatMap((line, at) => {
    if (!/^[+-]/.test(line)) return [];
    const isNamedSecret = SECRET_NAME.test(lines[at - 1] ?? '') && VALUE.test(line);
    const said = isNamedSecret ? line.replace(VALUE, '$1(not shown)') : withoutSecrets(line);
    return [`${said.slice(0, 1)} ${clipped(said.slice(1))}`];
  });
}

function withoutSecrets(line: string): string {
  return line.replace(SECRET_VALUE, '$1(not shown)').replaceAll(SECRET_URL, '$1');
}

function clipped(line: string): string {
  const text = line
    .trimEnd()
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ');
  return text.length > MAX_LINE ? `${text.slice(0, MAX_LINE - 1).toWellFormed()}…` : text;
}
