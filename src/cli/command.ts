import type { SecretSources } from '../config/connections.ts';

/** What a command gets of the process; only main.ts touches the process itself. */
export interface Terminal {
  env: Readonly<Record<string, string | undefined>>;
  sources: SecretSources;
  out(text: string): void;
  err(text: string): void;
  /** Aborted by SIGTERM or SIGINT. */
  stop: AbortSignal;
  columns: number;
  /** Lines of the window that a person looks at; absent: nobody does, and nothing is drawn over. */
  rows?: number;
  /** Whether a person looks, and wants to see colours. */
  colours?: boolean;
  /** All of standard input; absent where there is none. */
  readStdin?(): string;
  /** Told once the service answers. */
  serving?(): void;
  /** Lets the process die at once, for failpoints. */
  die(): never;
}

/** Wrong usage, or a file with mistakes: every line is for the person who runs it. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/**
 * Exit codes: 0 done, 1 failed, 2 a warning, 3 could not be judged, 64 wrong usage, 78 wrong configuration
 * (sysexits.h).
 */
export const EXIT = { ok: 0, failed: 1, warning: 2, notJudged: 3, usage: 64, configuration: 78 } as const;
