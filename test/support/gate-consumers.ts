import type { GateAnswer } from '../../src/views/gate.ts';

/** What each consumer makes of an answer, by the rules that conformance/gates records of their code. */

type Condition = boolean | undefined | 'error';

/** Argo Rollouts' EvaluateResult: failure wins; with one condition the other is its opposite. */
export function argoRollouts(success: Condition, failure: Condition): string {
  if (success === 'error' || failure === 'error') return 'Error';
  const [succeeds, fails] = [success ?? !(failure ?? false), failure ?? (success === undefined ? false : !success)];
  if (fails) return 'Failed';
  return succeeds ? 'Successful' : 'Inconclusive';
}

/** The web metric of the manifest: any status but 2xx is an error of the measurement. */
export function argoRolloutsWeb(status: number, answer: Partial<GateAnswer>): string {
  if (status < 200 || status > 299) return 'Error';
  return argoRollouts(answer.result === 'pass', answer.result === 'fail');
}

/** Kargo's http step: failure wins, is final; neither means polling on. */
export function kargo(status: number, success: boolean | undefined, failure: boolean | undefined): string {
  if (failure === true) return 'Failed-terminal';
  if (success === true) return 'Succeeded';
  if (success === undefined && failure === undefined)
    return status >= 200 && status <= 299 ? 'Succeeded' : 'Failed-retried';
  return 'Running';
}

export function kargoStep(status: number, { result }: Partial<GateAnswer>): string {
  return kargo(
    status,
    status === 200 && ['pass', 'warning'].includes(result ?? ''),
    status === 200 && result === 'fail',
  );
}

/** GitOps Promoter's phase expression of the manifest. */
export function promoter(status: number, { phase }: Partial<GateAnswer>): string {
  return status === 200 ? (phase ?? '') : 'pending';
}

/** Flagger compares `status > 202`; a redirect is followed. */
export function flagger(status: number): string {
  if (status >= 300 && status < 400) return 'follows redirect';
  return status <= 202 ? 'pass' : 'fail';
}

/** Argo Rollouts' Kayenta provider: the score is cut to a whole number before it is compared. */
export function kayenta(
  body: { complete?: unknown; result?: { judgeResult?: { score?: { score?: unknown } } } },
  { pass, marginal }: { pass: number; marginal: number },
): string {
  if (typeof body.complete !== 'boolean') return 'Error';
  if (!body.complete) return 'Running';
  const score = body.result?.judgeResult?.score?.score;
  if (typeof score !== 'number') return 'Error';
  const whole = Math.trunc(score);
  if (whole >= pass) return 'Successful';
  return whole >= marginal ? 'Inconclusive' : 'Failed';
}
