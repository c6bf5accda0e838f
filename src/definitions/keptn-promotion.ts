import Type, { type Static } from 'typebox';
import type { PromotionChange } from './delivery-changes.ts';
import type { Parsed, Problem } from './problem.ts';
import { readYaml, type YamlDocument } from './read-yaml.ts';
import { isRepositoryPath } from './repository-path.ts';
import { problemAt, validator } from './validate.ts';

const closed = { additionalProperties: false } as const;
const Text = Type.String({ minLength: 1, maxLength: 1000 });

/** `git-promotion.yaml` of Keptn's git-promotion-service 0.x. */
const schema = Type.Object(
  {
    apiVersion: Type.Literal('keptn.sh/v1'),
    kind: Type.Literal('GitPromotionConfig'),
    metadata: Type.Optional(Type.Object({})),
    spec: Type.Object(
      {
        strategy: Type.Union([Type.Literal('branch'), Type.Literal('flat-pr')]),
        // Which repository, and with which secret, is the Git host's configuration here.
        target: Type.Optional(Type.Object({})),
        paths: Type.Optional(
          Type.Array(Type.Object({ source: Type.Optional(Text), target: Text }, closed), { maxItems: 100 }),
        ),
      },
      closed,
    ),
  },
  { ...closed, title: 'git-promotion.yaml' },
);
type GitPromotionConfig = Static<typeof schema>;

const validate = validator(schema);

const NAMES: Readonly<Record<string, string>> = {
  '${project}': '$PROJECT',
  '${service}': '$SERVICE',
  '${stage}': '$STAGE',
  '${nextstage}': '$NEXT_STAGE',
};

/**
 * Reads Keptn's GitPromotionConfig as `promotion.changes`: `flat-pr` copies each `source` to its `target`; `branch`
 * brings the verified commit, for which no changes are needed (`undefined`). Never throws.
 */
export function parseKeptnPromotion(text: string, file: string): Parsed<PromotionChange[] | undefined> {
  const document = readYaml(text, file);
  if (!document.ok) return document;
  const valid = validate(document.value);
  if (!valid.ok) return valid;
  const { strategy, paths = [] } = valid.value.spec;
  if (strategy === 'branch') return { ok: true, value: undefined };
  const problems = paths.length === 0 ? [problemAt(document.value, ['spec'], 'has no "paths" to copy')] : [];
  const changes = paths.map((path, index) => toCopy(document.value, path, index, problems));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: changes };
}

type PathEntry = NonNullable<GitPromotionConfig['spec']['paths']>[number];

function toCopy(document: YamlDocument, path: PathEntry, index: number, problems: Problem[]): PromotionChange {
  const place = ['spec', 'paths', index];
  if (path.source === undefined) {
    const message =
      'has no "source": Keptn wrote values into lines marked with "keptn.git-promotion.replacewith" there; use "set" in promotion.changes instead';
    problems.push(problemAt(document, place, message));
  }
  const read = (key: 'source' | 'target') => {
    const folder = named(path[key] ?? 'none');
    if (!isRepositoryPath(folder) || folder.includes('${'))
      problems.push(
        problemAt(
          document,
          [...place, key],
          `is not a folder in the repository; known placeholders: ${Object.keys(NAMES).join(', ')}`,
        ),
      );
    return folder;
  };
  return { copy: { from: read('source'), to: read('target') } };
}

/** With our placeholders, without the slashes that people write around folders. */
function named(text: string): string {
  const known = text.replace(/\$\{\w+\}/g, (name) => NAMES[name] ?? name);
  return known.replace(/^\.?\/+|\/+$/g, '').trim();
}
