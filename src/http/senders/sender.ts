import type { IncomingHttpHeaders } from 'node:http';
import type { NewEvent, NewJob } from '../../store/store.ts';

export interface WebhookRequest {
  headers: IncomingHttpHeaders;
  /** The bytes as they came: signatures and digests are made over them. */
  rawBody: Buffer;
}

/** What a webhook means: an event for the log and the work it asks for, or why it is not kept. */
export type Translation =
  | { ok: true; event: NewEvent; jobs: NewJob[] }
  | {
      ok: false;
      /** 202: nothing that we use, but who sends it cannot always be told to stop, and gives up on refusals. */
      status: 202 | 400 | 413 | 415 | 422;
      /** Stable, for programs: `not-json`. */
      code: string;
      /** For the people who set up the sender: the place, and what would be right. No secrets. */
      detail: string;
    };

/**
 * One kind of system that calls us. Both steps are synchronous and quick: Argo CD's notifier waits for
 * our answer with its only worker. Whatever arrives is a hint; the work that it asks for looks again.
 */
export interface WebhookSender {
  /** e.g. `/webhooks/argocd` */
  readonly path: string;

  /** Whether the headers alone prove who sends; then nothing of an unknown sender's body is read. */
  readonly proof: 'headers' | 'body';

  /** Larger bodies are refused; default 1 MiB. */
  readonly maxBytes?: number;

  /** It waits longer each time before it tries again, and would give up early if it were told how long. */
  readonly pausesItself?: boolean;

  /**
   * Who sends this, as named in the configuration. `undefined` is answered 401, always alike: an
   * unknown sender learns nothing.
   */
  authenticate(request: WebhookRequest): { source: string } | undefined;

  /** @param source what `authenticate` answered */
  translate(source: string, rawBody: Buffer, receivedAt: Date, headers?: IncomingHttpHeaders): Translation;
}
