import { webUrl } from '../../events/written.ts';

/** Hosts that name the page of a commit in another way than GitHub and Gitea do. */
const PATHS: readonly { host: RegExp; path: string }[] = [
  { host: /gitlab/i, path: '/-/commit/' },
  { host: /^bitbucket\.org$/i, path: '/commits/' },
];

/** The page of a commit at its Git host; `undefined` where the clone URL tells of none. */
export function commitUrl(repoUrl: string, sha: string): string | undefined {
  const base = webUrl(repoUrl);
  if (base === undefined || !/^[0-9a-f]{40,64}$/.test(sha)) return undefined;
  const url = new URL(base);
  const path = PATHS.find(({ host }) => host.test(url.hostname))?.path ?? '/commit/';
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\.git$/, '')}${path}${sha}`;
}

/** Those whose pages of files are known by the name of the host. */
const FILES: readonly { host: RegExp; path: string }[] = [
  { host: /github/i, path: '/blob/' },
  { host: /gitlab/i, path: '/-/blob/' },
  { host: /^bitbucket\.org$/i, path: '/src/' },
];

/** The page of a file at a commit; `undefined` where the host is not known by its name. */
export function fileUrl(repoUrl: string, sha: string, file: string): string | undefined {
  const base = webUrl(repoUrl);
  if (base === undefined || !/^[0-9a-f]{40,64}$/.test(sha)) return undefined;
  const url = new URL(base);
  const path = FILES.find(({ host }) => host.test(url.hostname))?.path;
  if (path === undefined) return undefined;
  const segments = file.split('/').filter((one) => one !== '' && one !== '.');
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\.git$/, '')}${path}${sha}/${segments.map(encodeURIComponent).join('/')}`;
}
