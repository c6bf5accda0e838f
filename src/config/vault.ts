import type { SecretRef } from '../adapters/adapter-kind.ts';
import { Secret } from '../base/secret.ts';
import type { Problem } from '../definitions/problem.ts';
import type { YamlDocument } from '../definitions/read-yaml.ts';
import { problemAt } from '../definitions/validate.ts';

/** Where secrets are kept, so that lynceus.yaml holds none. */
export interface SecretSources {
  env: Readonly<Record<string, string | undefined>>;
  readFile: (path: string) => string;
}

/** Names a file as a secret does, but is read by its adapter, which says more of it. */
const KUBECONFIG = 'kubeconfig';

type Path = (string | number)[];
type Found = { ok: true; value: string } | { ok: false; message: string };

export interface Vault {
  /** @throws {Error} when it is not there; `problems` says so before */
  secret(ref: SecretRef): Secret;
  /** The value of something that may be a reference; `undefined` when it is none, or leads nowhere. */
  peek(ref: unknown): string | undefined;
  /** Every reference of a document that leads nowhere. */
  problems(document: YamlDocument): Problem[];
  /** Every value handed out, to be masked wherever it turns up. */
  all(): string[];
}

/** Resolves secret references, and remembers their values. */
export function createVault(sources: SecretSources): Vault {
  const values = new Set<string>();
  return {
    secret(ref) {
      const found = look(sources, ref);
      if (!found.ok) throw new Error(found.message);
      values.add(found.value);
      return new Secret(found.value);
    },
    peek(ref) {
      const found = isReference(ref) ? look(sources, ref) : undefined;
      return found?.ok ? found.value : undefined;
    },
    problems: (document) =>
      references(document.value, []).flatMap(({ ref, path }) => {
        const found = look(sources, ref);
        return found.ok ? [] : [problemAt(document, path, found.message)];
      }),
    all: () => [...values],
  };
}

function look({ env, readFile }: SecretSources, ref: SecretRef): Found {
  if ('env' in ref) {
    const value = trimmed(env[ref.env]);
    return value === ''
      ? { ok: false, message: `the environment variable ${ref.env} is not set: set it to the secret` }
      : { ok: true, value };
  }
  try {
    const value = trimmed(readFile(ref.file));
    return value === ''
      ? { ok: false, message: `${ref.file} is empty: write the secret into it` }
      : { ok: true, value };
  } catch {
    return { ok: false, message: `${ref.file} cannot be read: write the secret there, readable for this process` };
  }
}

/** A trailing newline, as editors and `echo` leave it, is never part of a token. */
function trimmed(value: string | undefined): string {
  return value?.replace(/\s+$/, '') ?? '';
}

function references(value: unknown, path: Path): { ref: SecretRef; path: Path }[] {
  if (Array.isArray(value)) return value.flatMap((item, at) => references(item, [...path, at]));
  if (typeof value !== 'object' || value === null) return [];
  if (isReference(value)) return [{ ref: value, path }];
  return Object.entries(value).flatMap(([key, item]) => (key === KUBECONFIG ? [] : references(item, [...path, key])));
}

const URL_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*:[^/?#]*@/i;

/** Passwords in URLs: the file is no place for secrets, and URLs are shown to people. */
export function passwordsInUrls(document: YamlDocument): Problem[] {
  return texts(document.value, []).flatMap(({ text, path }) =>
    URL_WITH_PASSWORD.test(text)
      ? [problemAt(document, path, 'the URL holds a password: take it out, and name it by {env: NAME} or {file: PATH}')]
      : [],
  );
}

function texts(value: unknown, path: Path): { text: string; path: Path }[] {
  if (typeof value === 'string') return [{ text: value, path }];
  if (Array.isArray(value)) return value.flatMap((item, at) => texts(item, [...path, at]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => texts(item, [...path, key]));
}

function isReference(value: unknown): value is SecretRef {
  if (typeof value !== 'object' || value === null) return false;
  const [[key, name] = [], ...others] = Object.entries(value);
  return others.length === 0 && (key === 'env' || key === 'file') && typeof name === 'string' && name !== '';
}
