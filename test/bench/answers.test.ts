import { describe, expect, test } from 'vitest';
import { type Answer, answerReader } from '../../bench/support/answers.ts';

const EMPTY = 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n';
const WITH_BODY = 'HTTP/1.1 400 Bad Request\r\ncontent-length:5\r\nConnection: close\r\n\r\nfalse';
const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab\r\n\r\n11;x=y\r\n0123456789abcdef!\r\n0\r\n\r\n';

describe('the answers of a connection', () => {
  test.each([1, 2, 7, 1_000])('are told apart when they come %i bytes at a time', (step) => {
    const answers = readAll(EMPTY + WITH_BODY + CHUNKED + EMPTY, step);
    expect(answers).toEqual([
      { status: 202, last: false },
      { status: 400, last: true },
      { status: 200, last: false },
      { status: 202, last: false },
    ]);
  });

  test('are over with the last byte of the body, not before', () => {
    expect(readAll(WITH_BODY.slice(0, -1))).toEqual([]);
    expect(readAll(CHUNKED.slice(0, -1))).toEqual([]);
  });

  test('may be announced, and may have no body at all', () => {
    const text = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n${EMPTY}`;
    expect(readAll(text).map(({ status }) => status)).toEqual([204, 202]);
  });

  test('that are none stop the load', () => {
    expect(() => readAll('SSH-2.0-OpenSSH\r\n\r\n')).toThrow('not an HTTP/1.1 answer');
    expect(() => readAll('HTTP/1.1 200 OK\r\n\r\nuntil the end')).toThrow('without Content-Length');
    expect(() => readAll('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n')).toThrow('a chunk');
  });
});

function readAll(text: string, step = text.length): Answer[] {
  const answers: Answer[] = [];
  const read = answerReader((answer) => answers.push(answer));
  for (let at = 0; at < text.length; at += step) read(text.slice(at, at + step));
  return answers;
}
