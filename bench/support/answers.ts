export interface Answer {
  status: number;
  /** Whether the server takes no more requests on this connection. */
  last: boolean;
}

const HEAD_END = '\r\n\r\n';

/**
 * Reads the answers of one HTTP/1.1 connection as their bytes come, one request in flight at a time: calls back at
 * the last byte of each. Knows `Content-Length`, chunks, and statuses without a body.
 *
 * @throws {Error} from the function that takes the text (one character per byte) when this is not such an answer
 */
export function answerReader(onAnswer: (answer: Answer) => void): (text: string) => void {
  let pending = '';
  return (text) => {
    pending = pending === '' ? text : pending + text;
    for (;;) {
      const headEnd = pending.indexOf(HEAD_END);
      if (headEnd === -1) return;
      const head = pending.slice(0, headEnd).toLowerCase();
      const status = Number(/^http\/1\.1 (\d{3})/.exec(head)?.[1]);
      if (!(status >= 100)) throw new Error(`not an HTTP/1.1 answer: ${head.slice(0, 60)}`);
      const end = endOfBody(pending, headEnd + HEAD_END.length, head, status);
      if (end === undefined) return;
      pending = pending.slice(end);
      // 1xx only announces the answer.
      if (status >= 200) onAnswer({ status, last: head.includes('\r\nconnection: close') });
    }
  };
}

/** `undefined`: more is to come. */
function endOfBody(text: string, start: number, head: string, status: number): number | undefined {
  if (status < 200 || status === 204 || status === 304) return start;
  if (/\r\ntransfer-encoding: *chunked/.test(head)) return endOfChunks(text, start);
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  if (length === undefined) throw new Error('an answer without Content-Length and without chunks');
  const end = start + Number(length);
  return text.length < end ? undefined : end;
}

function endOfChunks(text: string, start: number): number | undefined {
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error('a chunk without a size');
    at = lineEnd + 2 + size + 2;
    if (text.length < at) return undefined;
    if (size === 0) return at;
  }
}
