import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** What is wrong with a request that never becomes one, by the code of the parser's error; any other: 400. */
const FAILURES: Readonly<Record<string, [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'path and headers have more than 16 KiB; send less'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the chunks of the body have too long extensions; send none'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come to an end in time; send it again, faster'],
};
const NO_HTTP: [number, string] = [400, 'the request is not HTTP/1.1 as RFC 9112 has it'];

/**
 * Has requests that reach no handler answered in JSON like all others, and their connections closed: what is no HTTP or too
 * much of it, what comes too slowly, and what asks for things that are not done here. For a server that is given its
 * connections.
 */
export function answerBrokenRequests(server: Server, uuid: () => string): void {
  // A server watches over its timeouts, and knows which of its connections are idle, from this event on, which one that
  // does not listen itself never has.
  server.emit('listening');
  const answers = new WeakMap<object, ServerResponse>();
  server.on('request', (request, response) => answers.set(request.socket, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const answer = answers.get(socket);
    // In the middle of an answer nothing else can be said.
    const midway = answer?.headersSent === true && !answer.writableFinished;
    if (!socket.writable || midway || error.code === 'ECONNRESET') socket.destroy();
    else socket.end(rawAnswer(FAILURES[error.code ?? ''] ?? NO_HTTP, uuid()), () => socket.destroy());
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => {});
    socket.end(rawAnswer([405, 'CONNECT is not for here'], uuid()), () => socket.destroy());
  });
  server.on('checkExpectation', ({ headers }: IncomingMessage, response: ServerResponse) => {
    refuse(response, 417, `expect: ${JSON.stringify(headers.expect)} is not met here; leave it out`, uuid());
  });
}

/** Whether the request names no host, which one of HTTP/1.1 must; then it is answered. */
export function refuseHostless(request: IncomingMessage, response: ServerResponse, uuid: () => string): boolean {
  if (request.httpVersion !== '1.1' || request.headers.host !== undefined) return false;
  refuse(response, 400, 'the header host must be given', uuid());
  return true;
}

function refuse(response: ServerResponse, status: number, message: string, id: string): void {
  const body = JSON.stringify({ error: message });
  response.writeHead(status, { ...headersOf(body, id), connection: 'close' }).end(body);
}

function rawAnswer([status, message]: [status: number, message: string], id: string): string {
  const body = JSON.stringify({ error: message });
  const headers = Object.entries({ ...headersOf(body, id), connection: 'close' });
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function headersOf(body: string, id: string): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'x-content-type-options': 'nosniff',
    'x-request-id': id,
  };
}
