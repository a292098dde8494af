import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './wait.ts';

/** A call that a receiver got. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  /** As it was sent. */
  raw: string;
  body: Record<string, unknown> & { type: string };
}

export type Behave = (response: ServerResponse, received: Received) => void;

export interface Receiver {
  url: string;
  /** All calls, in the order in which they came. */
  received: Received[];
  /** Those that were answered with 200 by the default behaviour, each id once, in the order of the first. */
  taken(): Received[];
  behave: Behave;
  untilTaken(count: number): Promise<Received[]>;
  close(): Promise<void>;
}

export const take: Behave = (response) => response.writeHead(200).end('thank you');

/** A team's own server that webhooks call, on any free port; it takes what it gets until it is to behave otherwise. */
export async function startReceiver(behave: Behave = take): Promise<Receiver> {
  const received: Received[] = [];
  const taken = new Map<string, Received>();
  const receiver = { behave } as Receiver;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString();
      const call = { path: request.url ?? '', headers: request.headers, raw, body: JSON.parse(raw) };
      received.push(call);
      response.on('finish', () => {
        const id = String(call.headers['webhook-id']);
        if (response.statusCode === 200 && !taken.has(id)) taken.set(id, call);
      });
      receiver.behave(response, call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    taken: () => [...taken.values()],
    async untilTaken(count: number) {
      await until(() => taken.size >= count, { what: `${count} webhook events to be taken` });
      return [...taken.values()];
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
