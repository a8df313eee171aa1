// The server of the cases, over whatever carries its bytes.
import { ANSWERS } from './cases.ts';

export interface Wire {
  readonly read: () => Promise<Uint8Array | undefined>;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly end: () => void;
}

/** Serves one connection to its end. */
export async function serveOdd(wire: Wire): Promise<void> {
  let text = '';
  for (;;) {
    const request = takeRequest(text);
    if (request === undefined) {
      const bytes = await wire.read();
      if (bytes === undefined) break;
      text += Buffer.from(bytes).toString('latin1');
      if (text.charCodeAt(0) === 0x16) text = 'GET /garbage HTTP/1.1\r\n\r\n'; // TLS, to a server that speaks none.
      continue;
    }
    text = text.slice(request.length);
    const [, path = ''] = /^(?:PROXY [^\n]*\n)?\w* ?([^ ?]*)/.exec(request) ?? [];
    const isHead = request.startsWith('HEAD');
    const answer = ANSWERS[path] ?? {
      text: `HTTP/1.1 200 OK\r\nContent-Length: ${request.length}\r\n\r\n${request}`,
    };
    const out = isHead ? answer.text.replace(/\r\n\r\n[^]*$/, '\r\n\r\n') : answer.text;
    await wire.write(Buffer.from(out, 'latin1'));
    if (answer.then === 'close') break;
  }
  wire.end();
}

/** The first whole request of a text. */
function takeRequest(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end + 4);
  if (/^transfer-encoding: chunked/im.test(head)) {
    const last = text.indexOf('0\r\n\r\n', end + 4);
    return last < 0 ? undefined : text.slice(0, last + 5);
  }
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  return text.length >= head.length + length ? text.slice(0, head.length + length) : undefined;
}
