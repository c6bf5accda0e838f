import Type, { type Static, type TProperties } from 'typebox';
import { isJsonObject } from '../base/json.ts';
import type { Path } from './read-yaml.ts';
import { liesIn } from './repository-path.ts';

const closed = <P extends TProperties>(properties: P, description?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(description === undefined ? {} : { description }) });

const File = Type.String({
  format: 'repository-path',
  description: 'a file in the repository such as envs/production/values.yaml',
});
const Folder = Type.String({
  format: 'repository-path',
  description: 'a folder in the repository such as envs/production',
});
const Glob = Type.String({
  format: 'repository-path',
  maxLength: 200,
  description: 'files below the folder, such as "**/*.yaml" ("*" stays within a folder, "**" does not)',
});
const Globs = Type.Array(Glob, { minItems: 1, maxItems: 50 });
const Resource = Type.String({
  pattern: '^[A-Za-z][A-Za-z0-9]{0,62}/[a-z0-9$][A-Za-z0-9._$-]{0,252}$',
  description: 'kind and name of one of several resources in the file, such as HelmRelease/shop',
});
const ValuePath = Type.String({
  format: 'value-path',
  maxLength: 500,
  description: 'the path of a value, such as image.tag, images[0].newTag or images[name=shop].newTag',
});
const Text = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: '^[^\\s\\x00-\\x1f\\x7f]+$',
  description: 'one word',
});
const Digest = Type.String({
  pattern: '^(?:sha256:[0-9a-f]{64}|resolve)$',
  description: 'a digest such as sha256:9f86..., or "resolve": what the registry has for the tag',
});
const Value = Type.Union([Type.String({ maxLength: 4000 }), Type.Number(), Type.Boolean(), Type.Null()], {
  description: 'text, a number, true, false or null',
});
const ResourceIn = Type.Union([File, closed({ file: File, resource: Type.Optional(Resource) })], {
  description: 'a file of the verified commit, or {file, resource}',
});

/** One entry of `promotion.changes`: exactly one of them. */
export const Change = closed({
  copy: Type.Optional(
    closed({
      from: Folder,
      to: Folder,
      include: Type.Optional(Globs),
      exclude: Type.Optional(Globs),
      keep: Type.Optional(
        Type.Array(closed({ file: File, resource: Type.Optional(Resource), path: ValuePath }), {
          minItems: 1,
          maxItems: 200,
        }),
      ),
    }),
  ),
  set: Type.Optional(
    closed({
      file: File,
      resource: Type.Optional(Resource),
      path: ValuePath,
      value: Type.Optional(Value),
      from: Type.Optional(
        Type.Union([File, closed({ file: File, resource: Type.Optional(Resource), path: Type.Optional(ValuePath) })], {
          description: 'a file of the verified commit, or {file, resource, path}',
        }),
      ),
    }),
  ),
  kustomizeImage: Type.Optional(
    closed({
      file: File,
      image: Text,
      from: Type.Optional(File),
      newName: Type.Optional(Text),
      tag: Type.Optional(Text),
      digest: Type.Optional(Digest),
    }),
  ),
  helmChart: Type.Optional(
    closed({
      file: File,
      resource: Type.Optional(Resource),
      chart: Text,
      from: Type.Optional(ResourceIn),
      version: Type.Optional(Text),
    }),
  ),
  ociRepository: Type.Optional(
    closed({
      file: File,
      resource: Type.Optional(Resource),
      from: Type.Optional(ResourceIn),
      tag: Type.Optional(Text),
      digest: Type.Optional(Digest),
    }),
  ),
  imagePolicy: Type.Optional(
    closed({
      file: File,
      policy: Type.String({
        pattern: '^[^\\s:"]{1,253}:[^\\s:"]{1,253}$',
        description: 'namespace and name of an image policy, such as flux-system:shop',
      }),
      from: Type.Optional(
        Type.Union([File, closed({ file: File, policy: Type.Optional(Text) })], {
          description: 'a file of the verified commit, or {file, policy}',
        }),
      ),
      image: Type.Optional(Text),
    }),
  ),
});

/** `promotion.changes`. */
export const Changes = Type.Array(Change, { minItems: 1, maxItems: 100 });

/** What a promotion writes on the target's branch; nothing else of the verified commit is brought there. */
export type PromotionChange = Static<typeof Change>;
export type ChangeKind = keyof PromotionChange;
/** The body of one kind of change. */
export type ChangeOf<K extends ChangeKind> = NonNullable<PromotionChange[K]>;

/** What may stand in file names, names and texts of a change. */
export const CHANGE_PLACEHOLDERS = ['$PROJECT', '$SERVICE', '$STAGE', '$NEXT_STAGE', '$REVISION'] as const;

const KINDS = Object.keys(Change.properties) as ChangeKind[];
/** Where a value comes from; one of them is needed. */
const ORIGINS: Partial<Record<ChangeKind, readonly string[]>> = {
  set: ['value', 'from'],
  kustomizeImage: ['from', 'tag', 'digest', 'newName'],
  helmChart: ['from', 'version'],
  ociRepository: ['from', 'tag', 'digest'],
  imagePolicy: ['from', 'image'],
};

type Report = (path: Path, message: string, key?: string) => void;

/** What no schema can say of `promotion.changes`. Works on any value. */
export function checkChanges(changes: unknown, path: Path, report: Report): void {
  if (!Array.isArray(changes)) return;
  for (const [index, change] of changes.slice(0, 100).entries()) {
    if (isJsonObject(change)) checkChange(change, [...path, index], report);
  }
}

/**
 * A tag may have moved between the verification and the promotion: what its digest is then was verified by nobody, and
 * only a person may let it through.
 */
export function checkUnattended(changes: unknown, path: Path, report: Report): void {
  if (!Array.isArray(changes)) return;
  for (const [index, change] of changes.slice(0, 100).entries()) {
    for (const [kind, body] of Object.entries(isJsonObject(change) ? change : {})) {
      if (!isJsonObject(body) || body['digest'] !== 'resolve') continue;
      const remedy = 'let a person approve it, or pin the digest in the first stage and take it over with "from"';
      report([...path, index, kind], `a tag that moved would be promoted without being verified: ${remedy}`, 'digest');
    }
  }
}

function checkChange(change: Record<string, unknown>, path: Path, report: Report): void {
  const [first, second] = KINDS.filter((kind) => kind in change);
  if (first === undefined) report(path, `says nothing to do: name one of ${KINDS.join(', ')}`);
  if (second !== undefined) report(path, `has both "${first}" and "${second}": make it two changes`, second);
  for (const kind of KINDS) {
    const body = change[kind];
    if (!isJsonObject(body)) continue;
    if (kind === 'copy') checkCopy(body, [...path, kind], report);
    else checkOrigin(kind, body, [...path, kind], report);
  }
}

function checkCopy({ from, to }: Record<string, unknown>, path: Path, report: Report): void {
  if (typeof from !== 'string' || typeof to !== 'string') return;
  if (liesIn(from, to) || liesIn(to, from))
    report(
      path,
      `"${from.slice(0, 80)}" and "${to.slice(0, 80)}" overlap: copy between folders beside each other`,
      'to',
    );
}

function checkOrigin(kind: ChangeKind, body: Record<string, unknown>, path: Path, report: Report): void {
  const origins = ORIGINS[kind] ?? [];
  const given = origins.filter((origin) => origin in body);
  if (given.length === 0) report(path, `does not say what to write: name one of ${origins.join(', ')}`);
  // A digest that is resolved belongs to a tag, wherever that comes from.
  const contradicting = given.find(
    (origin) => origin !== 'from' && !(origin === 'digest' && body[origin] === 'resolve'),
  );
  if ('from' in body && contradicting !== undefined)
    report(path, `has both "from" and "${contradicting}": keep one`, contradicting);
  if (body['digest'] === 'resolve' && !('from' in body) && !('tag' in body))
    report(path, 'a digest is resolved for a tag: add "tag" or "from"', 'digest');
}
