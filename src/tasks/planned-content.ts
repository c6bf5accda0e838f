import type { CallOptions, GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import type { Registry } from '../adapters/registries/image-registry.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { mapBounded } from '../base/pool.ts';
import type { PromotionChange } from '../definitions/delivery-changes.ts';
import type { ImageQuestion } from '../promotion/edits/images.ts';
import { needs, type PlannedEdits, planEdits } from '../promotion/edits/plan-edits.ts';
import type { TreeReader } from '../promotion/edits/workspace.ts';
import { readTree } from './read-trees.ts';

export interface ContentQuestion {
  host: GitHost;
  repository: Repository;
  /** With names in place of placeholders. */
  changes: readonly PromotionChange[];
  /** Full SHAs: the verified commit, and the head of the branch that it goes to. */
  source: string;
  target: string;
  registry: (image: string) => Registry | undefined;
}

export interface PlannedContent extends PlannedEdits {
  source: TreeReader;
  target: TreeReader;
}

/**
 * Plans the edits of a promotion on what the host and the registries have. Changes nothing.
 *
 * @throws {AdapterError} something cannot be read, or a digest is asked for where nobody knows it
 */
export async function planContent(question: ContentQuestion, options: CallOptions): Promise<PlannedContent> {
  const { host, repository, changes } = question;
  const needed = needs(changes);
  const source = await readTree(host, repository, question.source, needed.source, options);
  const target = await readTree(host, repository, question.target, needed.target, options);
  const first = planEdits(changes, source, target);
  if (first.unresolved.length === 0 || first.problems.length > 0) return { ...first, source, target };
  const digests = await resolveAll(first.unresolved, question.registry, options);
  const planned = planEdits(changes, source, target, ({ image, tag }) => digests.get(`${image}:${tag}`));
  return { ...planned, source, target };
}

async function resolveAll(
  questions: readonly ImageQuestion[],
  registryOf: ContentQuestion['registry'],
  { signal }: CallOptions,
): Promise<Map<string, string>> {
  const answers = await mapBounded(questions, 4, async ({ image, tag }): Promise<[string, string]> => {
    const registry = registryOf(image);
    if (!registry)
      throw new AdapterError('rejected', `no registry is configured for ${image}: the digest of ${tag} is not known`);
    const digest = await registry.digest(image, tag, signal ? { signal } : {});
    if (digest === undefined) throw new AdapterError('rejected', `${registry.name} has no ${image}:${tag}`);
    return [`${image}:${tag}`, digest];
  });
  return new Map(answers);
}
