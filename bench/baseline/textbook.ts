import { Socket } from 'node:net';
import pg from 'pg';
import { v7 } from 'uuid';
import type { Command } from '../../src/commands/command.ts';
import { Catalog } from '../../src/db/catalog.ts';
import { createPool } from '../../src/db/pool.ts';
import { Programs } from '../../src/db/programs.ts';
import { EventService } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { createLog } from '../../src/log.ts';
import { ApiKeys } from '../../src/rpc/auth.ts';
import type { Api } from '../../src/rpc/call.ts';
import { startGrpcServer } from '../../src/rpc/grpc-server.ts';
import { KeyUses } from '../../src/rpc/key-uses.ts';
import { routes } from '../../src/rpc/routes.ts';
import { applyAlone } from './apply-alone.ts';

// The textbook server: SendEvent over the same gRPC, with one serializable transaction for each event, done again with
// jitter while it meets conflicts (40001, 40P01), until it is committed. No queue, no batches, no lanes.
//
// What it shares with Guerdon, so that neither pays for anything that the other does not: the transport, the check of the
// API key and of the input, the answer; and of applying, what is read, the rules, the rows that are written and the
// statements that write them. Its sessions have the planner settings and the pipelining of the lanes' sessions too.
//
// What it does not share: it takes no advisory lock, so nothing but the rows themselves makes one event wait for another,
// and whatever it reads, it reads inside its transaction, since without lanes nothing else would make that correct.
//
// It listens on a port for each size of pool in POOLS; which does best is found out by trying.

const now = Date.now;
const log = createLog('warn');
const databaseUrl = process.env.DATABASE_URL as string;
const onError = (err: Error): void => log.warn({ err }, 'database connection lost');
const reads = createPool({ url: databaseUrl, max: 10, name: 'textbook-reads', onError });
const programs = new Programs();
const context = { pool: reads, catalog: new Catalog(reads, now), programs, now, uuid: () => v7(), log };
const keys = new ApiKeys({ db: reads, now, uses: new KeyUses(reads, onError), limit: null });
const served = {
  routes: routes.filter(({ method }) => method === EventService.method.sendEvent),
  streams: [],
  intakes: [],
};

const PLANNER = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'].map((name) => `-c ${name}=off`).join(' ');

async function listen(max: number): Promise<number> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max,
    application_name: 'textbook',
    pipeline: true,
    stream: () => new Socket(),
    options: `-c timezone=UTC -c jit=off -c plan_cache_mode=force_generic_plan ${PLANNER}`,
  });
  pool.on('error', onError);
  const applying = { pool, programs, now, random: Math.random, conflicts: 0 };
  const ingest = { submit: (commands: readonly Command[]) => commands.map((command) => applyAlone(applying, command)) };
  // SendEvent asks no more of its process than this.
  const api = { context, ingest } as unknown as Api;
  const { port } = await startGrpcServer(api, keys, served, { host: '127.0.0.1', port: 0 });
  return port;
}

const ports: Record<number, number> = {};
for (const max of (process.env.POOLS as string).split(',').map(Number)) ports[max] = await listen(max);
process.stdout.write(`ready ${JSON.stringify(ports)}\n`);
process.on('SIGTERM', () => process.exit(0));
