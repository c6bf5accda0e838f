/** What goes wrong, once (or `times`), with the next request that matches. */
export interface Fault {
  method?: string;
  /** A regular expression on the path. */
  path?: string;
  times?: number;
  effect: FaultEffect;
}

export type FaultEffect =
  /** Answers this instead, as Argo CD's error body unless a text is given. */
  | { kind: 'answer'; status: number; code?: number; message?: string; text?: string; contentType?: string }
  | { kind: 'delay'; delayMs: number }
  /** Never answers. */
  | { kind: 'hang' }
  /** Cuts the connection before anything is done. */
  | { kind: 'reset' }
  /** Cuts it in the middle of the answer, after everything was done. */
  | { kind: 'cut-answer' }
  /** Does what was asked, then answers this status, or (0) cuts the connection: the outcome is unknown. */
  | { kind: 'apply-then-fail'; status: number };

export interface Faults {
  next(fault: Fault): void;
  clear(): void;
  /** Takes the first that matches. */
  take(method: string, path: string): FaultEffect | undefined;
}

export function createFaults(): Faults {
  let waiting: { fault: Fault; left: number }[] = [];
  return {
    next: (fault) => void waiting.push({ fault, left: fault.times ?? 1 }),
    clear() {
      waiting = [];
    },
    take(method, path) {
      const hit = waiting.find(
        ({ fault }) =>
          (fault.method ?? method) === method && (fault.path === undefined || new RegExp(fault.path).test(path)),
      );
      if (hit === undefined) return undefined;
      hit.left -= 1;
      waiting = waiting.filter(({ left }) => left > 0);
      return hit.fault.effect;
    },
  };
}
