import * as http from 'node:http';
import * as net from 'node:net';
import { expect, it } from '@jest/globals';
import type { GuerdonError } from '../../src/errors.ts';
import { readBody } from '../../src/rest/body.ts';
import { statusOf } from '../../src/rest/status.ts';
import { answerBrokenRequests } from '../../src/rpc/broken-requests.ts';

/** A server that is given its connections, as ours is, with less patience; gives all that is said on a connection. */
async function saidTo(text: string, handler: http.RequestListener): Promise<string> {
  const patience = { headersTimeout: 100, requestTimeout: 0, connectionsCheckingInterval: 20 };
  const server = http.createServer(patience, handler);
  answerBrokenRequests(server, () => 'id');
  const listener = net.createServer((socket) => server.emit('connection', socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const socket = net.connect((listener.address() as net.AddressInfo).port, '127.0.0.1').setEncoding('utf8');
  socket.write(text);
  let said = '';
  for await (const chunk of socket) said += chunk;
  listener.close();
  server.close(() => {});
  return said;
}

const body = '{"error":"the request did not come to an end in time; send it again, faster"}';

it('headers that come too slowly are waited for no longer, and who sends them is told', async () => {
  const said = await saidTo('GET / HTTP/1.1\r\nhost: x\r\n', () => {});
  expect(said).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(said).toMatch(/\r\nconnection: close\r\n/);
  expect(said.split('\r\n\r\n')[1]).toBe(body);
});

it('so is a body of REST that does', async () => {
  const head = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n';
  const said = await saidTo(`${head}{"id`, async (request, response) => {
    const error = (await readBody(request, 50).catch((thrown: unknown) => thrown)) as GuerdonError;
    response.writeHead(statusOf(error), { connection: 'close' }).end(error.message);
  });
  expect(said).toMatch(/^HTTP\/1\.1 408 /);
  expect(said).toContain('the body was not whole within 0.05 s');
});

it('what breaks off in the middle of an answer puts nothing into it', async () => {
  const head = 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
  const said = await saidTo(`${head}no chunk\r\n`, (_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half');
  });
  expect(said).not.toMatch(/400|error/);
});
