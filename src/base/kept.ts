import type { Clock } from './clock.ts';

/** Asks again when the answer is older than `ms`; those who ask meanwhile wait for the same one. A failure is not kept. */
export function kept<T>(read: () => Promise<T>, clock: Clock, ms: number): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    const now = clock.now().getTime();
    if (last !== undefined && now - last.at < ms && now >= last.at) return last.answer;
    const answer = read();
    last = { at: now, answer };
    answer.catch(() => {
      last = undefined;
    });
    return answer;
  };
}
