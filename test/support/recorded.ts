import type { RequestListener } from 'node:http';

export interface RecordedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, unknown>;
  /** Parsed when it is JSON, else the text. */
  body: unknown;
}

/** A server that answers every request alike, and tells what it was asked. */
export async function recorded(
  serve: (listener: RequestListener) => Promise<string>,
  answer: string,
): Promise<{ url: string; requests: RecordedRequest[] }> {
  const requests: RecordedRequest[] = [];
  const url = await serve((request, response) => {
    const asked = new URL(request.url ?? '', 'http://x');
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      const { method = '', headers } = request;
      const query = Object.fromEntries(asked.searchParams);
      requests.push({ method, path: asked.pathname, query, headers, body: parseLoosely(text) });
      response.end(answer);
    });
  });
  return { url, requests };
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
