import { join } from 'node:path';
import pino from 'pino';
import { v7 } from 'uuid';
import { mintKey } from '../commands/api-keys.ts';
import { type Config, readConfig } from '../config.ts';
import { runningEmbeddedPostgres } from '../db/embedded.ts';
import { openOrm } from '../db/orm.ts';
import { start } from '../process.ts';
import { firstProject } from '../setup/bootstrap.ts';

/** Where to send, and with what key. */
export interface Target {
  address: string;
  key: string;
  close(): Promise<void>;
}

export interface TargetOptions {
  grpc?: string | undefined;
  key?: string | undefined;
}

/**
 * The server that is named, or the one that runs on this folder's data; for the demo, or else a Guerdon of its own inside
 * this process, on any free ports.
 */
export async function findTarget(
  env: Readonly<Record<string, string | undefined>>,
  options: TargetOptions,
  say: (message: string) => void,
  purpose: 'demo' | 'import' = 'demo',
): Promise<Target> {
  const config = readConfig(env);
  const key = options.key ?? config.adminKey;
  const named = options.grpc !== undefined || config.databaseUrl !== undefined;
  const running = named ? undefined : await runningEmbeddedPostgres(config.dataDir);
  if (named || running !== undefined) {
    const address = options.grpc ?? `127.0.0.1:${config.grpcPort.number}`;
    const usable = key ?? (running === undefined ? undefined : await mint(running.url, purpose));
    if (usable === undefined) throw new Error(`a key for ${address} is needed: --key PREFIX.BODY or GUERDON_ADMIN_KEY`);
    say(`sending to ${address}`);
    return { address, key: usable, close: async () => {} };
  }
  if (purpose === 'import')
    throw new Error('no server is running here: npm start, or name one with --server HOST:PORT');
  return ownServer(env, config, say);
}

async function ownServer(
  env: Readonly<Record<string, string | undefined>>,
  config: Config,
  say: (message: string) => void,
): Promise<Target> {
  const dataDir = join(config.dataDir, 'demo');
  say(`no server is running here; starting one for the demo, with its data in ${dataDir}`);
  const running = await start(
    { ...env, GUERDON_ROLE: 'all', GUERDON_DATA_DIR: dataDir, GUERDON_HTTP_PORT: '0', GUERDON_GRPC_PORT: '0' },
    pino({ level: 'silent' }),
    say,
  );
  const key = running.adminKey ?? (await mint(running.context.databaseUrl, 'demo'));
  return { address: `127.0.0.1:${running.grpcPort}`, key, close: () => running.close() };
}

async function mint(databaseUrl: string, name: string): Promise<string> {
  const orm = await openOrm(databaseUrl);
  try {
    const em = orm.em.fork();
    const project = await firstProject(em);
    if (project === undefined) throw new Error('there is no project yet: start Guerdon once');
    const author = { projectId: project.id, actor: `cli:${name}`, now: Date.now(), uuid: () => v7() };
    return (await mintKey(em, author, { kind: 'admin', name, user: null })).key;
  } finally {
    await orm.close(true);
  }
}
