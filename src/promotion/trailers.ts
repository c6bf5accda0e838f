import type { PromotionEvidence } from './promotion.ts';

/** Who a promotion is about; the part of the evidence that is known at any time. */
export type PromotionIdentity = Pick<
  PromotionEvidence,
  'project' | 'service' | 'fromStage' | 'toStage' | 'context' | 'revision'
>;

const CONTEXT = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const REVISION = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const TRAILER = /^([A-Za-z0-9][A-Za-z0-9-]*): (\S.*)$/;

/** The lines by which a merge is recognised as the end of a promotion, whoever merged it. */
export function trailersOf(identity: PromotionIdentity): string[] {
  return [
    `Lynceus-Context: ${token(identity.context)}`,
    `Lynceus-Stage: ${token(identity.toStage)}`,
    `Lynceus-Revision: ${token(identity.revision)}`,
  ];
}

/**
 * Reads our trailers from a commit message or a pull request's text. Strict, because a change is
 * recognised by them: only in the last paragraph, which must consist of trailers, and a trailer that
 * is there twice or has an impossible value counts as missing.
 */
export function parseTrailers(message: string): { context?: string; revision?: string } {
  const paragraphs = message
    .replaceAll('\r\n', '\n')
    .trimEnd()
    .split(/\n[ \t]*\n/);
  const lines = (paragraphs.at(-1) ?? '').split('\n').map((line) => TRAILER.exec(line));
  if (lines.some((line) => line === null)) return {};
  const only = (name: string, form: RegExp): string | undefined => {
    const values = lines.filter((line) => line?.[1]?.toLowerCase() === name).map((line) => line?.[2]?.trim() ?? '');
    return values.length === 1 && form.test(values[0] ?? '') ? values[0] : undefined;
  };
  const context = only('lynceus-context', CONTEXT);
  const revision = only('lynceus-revision', REVISION);
  return { ...(context === undefined ? {} : { context }), ...(revision === undefined ? {} : { revision }) };
}

/** A value on one line that cannot start another trailer. */
export function token(text: string): string {
  const safe = text
    .replace(/[^A-Za-z0-9._:-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 128);
  return safe === '' ? 'none' : safe;
}
