/** Longer than any path that a host takes. */
const MAX_PATH = 300;

/** Whether this names a file or a folder inside a repository: nothing absolute, no way out, and not Git's own folder. */
export function isRepositoryPath(name: string): boolean {
  if (name === '' || name.length > MAX_PATH || /[\\:\p{Cc}]/u.test(name)) return false;
  return name.split('/').every((part) => !['', '.', '..'].includes(part) && !/^(?:\.git|git~1)[. ]*$/i.test(part));
}

/** The folder that a file lies in; `''`: the repository's root. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Whether a file lies in a folder, or is it. */
export function liesIn(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
