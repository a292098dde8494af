import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from './wait.ts';

export interface RedisServer {
  url: string;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Forgets all that is in it. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** The redis-server (or valkey-server) on the PATH. */
export function redisBinary(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return ['redis-server', 'valkey-server']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** A Redis of its own on a free port; `appendOnly` keeps a file of its commands, `durable` so that none is ever lost. */
export async function startRedisServer(
  binary: string,
  { durable = false, appendOnly = durable }: { durable?: boolean; appendOnly?: boolean } = {},
): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'guerdon-redis-'));
  const port = await freePort();
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const persistence = [
      ...['--appendonly', appendOnly ? 'yes' : 'no'],
      ...(durable ? ['--appendfsync', 'always'] : []),
    ];
    const where = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
    child = spawn(binary, [...where, ...persistence, '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' });
    await until(() => answers(port), { what: 'redis-server to answer' });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => end('SIGKILL'),
    restart: start,
    flush: async () => {
      const admin = new Redis(`redis://127.0.0.1:${port}`);
      await admin.flushall();
      admin.disconnect();
    },
    stop: async () => {
      await end('SIGTERM');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
