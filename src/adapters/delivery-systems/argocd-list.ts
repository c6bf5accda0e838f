import type { Readable } from 'node:stream';
import { AdapterError } from '../../base/adapter-error.ts';
import { scanItems } from './argocd-list-scanner.ts';

export interface ListLimits {
  signal?: AbortSignal;
  /** For the whole answer. */
  timeoutMs: number;
  maxBytes: number;
}

/** Longer than any application: one that never ends must not fill the memory. */
const MAX_ITEM_BYTES = 16 * 1024 * 1024;

/**
 * The items of `{"metadata": {...}, "items": [{...}, ...]}` one by one while the answer arrives: a list of thousands
 * of applications never stands in memory as a whole. The stream is closed when the reader stops.
 *
 * @throws {AdapterError} `bad-response` when it is no such list, or too long; `unavailable` when the connection
 *   breaks; `timeout`, `cancelled`
 */
export async function* readItems(stream: Readable, name: string, limits: ListLimits): AsyncGenerator<unknown> {
  const scanner = scanItems('items');
  const late = AbortSignal.timeout(limits.timeoutMs);
  const signal = limits.signal === undefined ? late : AbortSignal.any([late, limits.signal]);
  const stop = () => stream.destroy(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    let bytes = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      for (const item of scanner.items(chunk)) yield parse(item, name);
      if (bytes > limits.maxBytes || scanner.pendingBytes() > MAX_ITEM_BYTES)
        throw badAnswer(name, 'more than we read');
    }
  } catch (error) {
    if (error instanceof AdapterError) throw error;
    if (limits.signal?.aborted) throw new AdapterError('cancelled', `Argo CD ${name}: the request was given up`);
    const within = `within ${limits.timeoutMs / 1000} s`;
    if (late.aborted) throw new AdapterError('timeout', `Argo CD ${name} did not answer ${within}`);
    throw new AdapterError('unavailable', `Argo CD ${name} broke off its list of applications`);
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
  if (!scanner.isComplete()) throw badAnswer(name, 'no list of applications');
}

function parse(item: Buffer, name: string): unknown {
  try {
    return JSON.parse(item.toString('utf8'));
  } catch {
    throw badAnswer(name, 'an application that is not JSON');
  }
}

function badAnswer(name: string, words: string): AdapterError {
  return new AdapterError('bad-response', `Argo CD ${name} answered ${words}`);
}
