import { type Bench, type Case, compare, type Figures, median, tryOut } from '../bench.ts';
import { usersOf } from '../fill.ts';
import { endServer, startGuerdon } from '../servers.ts';
import { findSqlClient } from './sql-clients.ts';
import { captureStatements } from './statements.ts';

export interface ReadsRow {
  /** Calls that wait at once, and as many SQL clients. */
  clients: number;
  guerdon: Figures;
  /** How often a second the SQL client ran all statements of one call: each repetition, and the median. */
  sqlEach: number[];
  sql: number;
}

export interface ReadsResult {
  rows: ReadsRow[];
  /** Which SQL client it was. */
  client: string;
  /** Statements of one call. */
  statements: string[];
  /** The row that counts for the goals: as many clients as come first in the middle of what was asked for. */
  judgedClients: number;
  judged: number;
}

/** GetUserPoints with ten awards beside the same statements, sent by nothing but a client. */
export async function measureReads(bench: Bench): Promise<ReadsResult> {
  const { plan, services, databases } = bench;
  const databaseUrl = await databases.copy(bench.filled);
  const users = usersOf(plan.entries);
  const statements = await captureStatements(databaseUrl);
  const client = findSqlClient(statements, users);
  const name = services.redisUrl === undefined ? 'guerdon-postgres' : 'guerdon-redis';
  const server = await startGuerdon(name, { databaseUrl, redisUrl: services.redisUrl, profiles: plan.profiles });
  const port = server.ports[0] as number;
  const rows: ReadsRow[] = [];
  try {
    const read = (clients: number): Case => ({
      call: 'GetUserPoints',
      shape: { kind: 'closed', inFlight: clients },
      users: { kind: 'uniform', count: users },
    });
    await tryOut(bench, read(Math.max(...plan.readers)), port, plan.seconds);
    for (const clients of plan.readers) {
      const sqlEach: number[] = [];
      const round = { ...bench, plan: { ...plan, repeat: 1 } };
      const each: Figures[] = [];
      for (let turn = 0; turn < plan.repeat; turn += 1) {
        each.push(...(await compare(round, read(clients), [{ server, port }])));
        sqlEach.push(await client.run(databaseUrl, clients, plan.seconds));
      }
      const row = { clients, guerdon: together(each), sqlEach, sql: median(sqlEach) };
      rows.push(row);
      bench.say(
        `  ${clients} clients: Guerdon ${row.guerdon.perSecond.toFixed(0)}/s, SQL alone ${row.sql.toFixed(0)}/s`,
      );
    }
  } finally {
    await endServer(server);
  }
  const judged = rows[rows.length >> 1] as ReadsRow;
  return {
    rows,
    client: client.name,
    statements: statements.map(({ text }) => text),
    judgedClients: judged.clients,
    judged: judged.guerdon.perSecond / judged.sql,
  };
}

/** The repetitions as one. */
function together(each: readonly Figures[]): Figures {
  const of = (part: (figures: Figures) => number): number => median(each.map(part));
  return {
    calls: each.reduce((sum, { calls }) => sum + calls, 0),
    failed: each.reduce((sum, { failed }) => sum + failed, 0),
    perSecond: of(({ perSecond }) => perSecond),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    max: of(({ max }) => max),
    rss: Math.max(...each.map(({ rss }) => rss)),
    heap: Math.max(...each.map(({ heap }) => heap)),
    cpuPerCall: of(({ cpuPerCall }) => cpuPerCall),
    each: each.flatMap((figures) => figures.each),
  };
}
