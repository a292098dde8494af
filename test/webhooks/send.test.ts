import type { LookupAddress } from 'node:dns';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Resolve, Sender, type SenderOptions } from '../../src/webhooks/send.ts';
import { type Behave, type Receiver, startReceiver, take } from '../support/receiver.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function receiver(behave: Behave): Promise<Receiver> {
  const started = await startReceiver(behave);
  closing.push(() => started.close());
  return started;
}

function sender(options: Partial<SenderOptions> = {}): (url: string) => ReturnType<Sender['post']> {
  const made = new Sender({ allowPrivate: true, timeoutMs: 10_000, ...options });
  closing.push(() => made.close());
  return (url) => made.post(url, { 'webhook-id': 'm' }, '{"type":"t"}', new AbortController().signal);
}

/** A server that speaks no HTTP. */
async function rawServer(onSocket: (socket: Socket) => void): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a receiver', () => {
  it.each([200, 201, 204, 299])('takes an event with %s', async (status) => {
    const { url } = await receiver((response) => response.writeHead(status).end());
    expect(await sender()(url)).toEqual({ error: null, statusCode: status, answer: '' });
  });

  it.each([400, 401, 404, 410, 429, 500, 503])('does not take it with %s, and what it says is kept', async (status) => {
    const { url } = await receiver((response) => response.writeHead(status).end('no\0 \u{1F600}'));
    expect(await sender()(url)).toEqual({ error: 'STATUS', statusCode: status, answer: 'no\uFFFD \u{1F600}' });
  });

  it.each([301, 302, 307, 308])('that redirects with %s is not followed', async (status) => {
    const other = await receiver(take);
    const { url } = await receiver((response) => response.writeHead(status, { location: other.url }).end());
    expect(await sender()(url)).toMatchObject({ error: 'REDIRECT', statusCode: status });
    expect(other.received).toEqual([]);
  });

  it('that never stops answering is not listened to for long, and took the event', async () => {
    const { url } = await receiver((response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('é'.repeat(10_000)), 1);
      response.on('close', () => clearInterval(timer));
    });
    const { error, answer } = await sender()(url);
    expect(error).toBeNull();
    expect(answer).toBe('é'.repeat(512));
  });

  it('that sends its answer drop by drop took the event by its status', async () => {
    const { url } = await receiver((response) => {
      response.writeHead(200).write('slow');
    });
    expect(await sender({ timeoutMs: 200 })(url)).toEqual({ error: null, statusCode: 200, answer: 'slow' });
  });

  it('that hangs is left', async () => {
    const { url } = await receiver(() => {});
    expect(await sender({ timeoutMs: 200 })(url)).toEqual({ error: 'TIMEOUT', statusCode: null, answer: '' });
  });

  it('that resets the connection, or closes it without a word, did not take the event', async () => {
    const reset = await rawServer((socket) => socket.on('data', () => socket.resetAndDestroy()));
    const closed = await rawServer((socket) => socket.on('data', () => socket.end()));
    expect((await sender()(reset)).error).toBe('CONNECTION_LOST');
    expect((await sender()(closed)).error).toBe('CONNECTION_LOST');
  });

  it('that speaks no HTTP, has headers without end, is not there, or has no TLS', async () => {
    const nonsense = await rawServer((socket) => socket.on('data', () => socket.end('nonsense\r\n\r\n')));
    const headers = await rawServer((socket) =>
      socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(100_000)}`)),
    );
    const { url } = await receiver(take);
    const gone = await startReceiver();
    await gone.close();
    const send = sender();
    expect((await send(nonsense)).error).toBe('ANSWER_INVALID');
    expect((await send(headers)).error).toBe('ANSWER_INVALID');
    expect((await send(gone.url)).error).toBe('CONNECTION_REFUSED');
    expect((await send(url.replace('http:', 'https:'))).error).toBe('TLS_FAILED');
    expect((await send('https://no-such-name.invalid')).error).toBe('NAME_NOT_RESOLVED');
  });

  it('that closes connections between calls is called again on another', async () => {
    const { url, received } = await receiver((response) => {
      response.writeHead(200).end('x', () => response.socket?.destroy());
    });
    const send = sender();
    for (let call = 1; call <= 20; call += 1) expect((await send(url)).error).toBeNull();
    expect(received.length).toBe(20);
  });
});

describe('a target', () => {
  it.each(['http://127.0.0.1', 'http://localhost', 'http://[::1]', 'http://0.0.0.0', 'http://[::ffff:127.0.0.1]'])(
    '%s is not even connected to',
    async (host) => {
      const { url, received } = await receiver(take);
      const target = `${host}:${new URL(url).port}`;
      expect(await sender({ allowPrivate: false })(target)).toEqual({
        error: 'ADDRESS_REFUSED',
        statusCode: null,
        answer: '',
      });
      expect(received).toEqual([]);
    },
  );

  it('that resolves to another address each time is judged each time, by the address that is connected to', async () => {
    const { url, received } = await receiver((response) => response.writeHead(200, { connection: 'close' }).end());
    const answers: LookupAddress[][] = [
      [{ address: '127.0.0.1', family: 4 }],
      [{ address: '127.0.0.2', family: 4 }],
      [
        { address: '10.0.0.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
      [{ address: '::1', family: 6 }],
    ];
    const asked: string[] = [];
    const resolve: Resolve = (name, callback) => {
      asked.push(name);
      callback(null, answers[asked.length - 1] ?? []);
    };
    const send = sender({ allowPrivate: ['127.0.0.1/32'], resolve });
    const target = url.replace('127.0.0.1', 'rebinding.example.com');
    const outcomes = [];
    for (const _ of answers) outcomes.push((await send(target)).error);
    expect(outcomes).toEqual([null, 'ADDRESS_REFUSED', null, 'ADDRESS_REFUSED']);
    expect(asked).toHaveLength(4);
    expect(received).toHaveLength(2);
  });
});
