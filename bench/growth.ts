import { type Bench, compare, type Figures, type Target, tryOut } from './bench.ts';
import { onDatabase } from './databases.ts';
import { fill, usersOf } from './fill.ts';
import { endServer, type Server, startGuerdon } from './servers.ts';

export interface GrowthRow {
  /** Calls that wait at once. */
  inFlight: number;
  small: Figures;
  large: Figures;
}

export interface GrowthResult {
  /** Ledger entries of the two databases. */
  small: number;
  large: number;
  rows: GrowthRow[];
  /** What an event costs in the large one against the small one, at the most calls in flight. */
  ratio: number;
}

/** SendEvent on a large ledger beside a small one, each event for any user who has entries. */
export async function measureGrowth(bench: Bench): Promise<GrowthResult> {
  const { plan, databases } = bench;
  const small = await databases.copy(bench.filled);
  bench.say(`filling a database with ${plan.entriesLarge} entries`);
  const large = await databases.createEmpty();
  await fill(large, plan.entriesLarge);
  const servers: Server[] = [];
  try {
    const sizes = [plan.entries, plan.entriesLarge];
    const targets = await Promise.all([small, large].map((databaseUrl) => open(bench, databaseUrl, servers)));
    const rows: GrowthRow[] = [];
    for (const inFlight of [1, plan.busy]) {
      const [onSmall, onLarge] = await alternate(bench, inFlight, targets, sizes);
      rows.push({ inFlight, small: onSmall as Figures, large: onLarge as Figures });
      const told = [onSmall, onLarge].map(
        (figures) => `${figures?.perSecond.toFixed(0)}/s ${figures?.p50.toFixed(2)} ms`,
      );
      bench.say(`  ${inFlight} in flight: ${told.join(' against ')}`);
    }
    const last = rows.at(-1) as GrowthRow;
    const ratio = last.small.perSecond / last.large.perSecond;
    return { small: plan.entries, large: plan.entriesLarge, rows, ratio };
  } finally {
    for (const server of servers) await endServer(server);
  }
}

async function open({ services, plan }: Bench, databaseUrl: string, servers: Server[]): Promise<Target> {
  const name = services.redisUrl === undefined ? 'guerdon-postgres' : 'guerdon-redis';
  const server = await startGuerdon(name, { databaseUrl, redisUrl: services.redisUrl, profiles: plan.profiles });
  servers.push(server);
  return { server, port: server.ports[0] as number };
}

/** Each database has users of its own number; what is measured is done in turn on both. */
async function alternate(bench: Bench, inFlight: number, targets: readonly Target[], sizes: readonly number[]) {
  const load = (place: number) => ({
    call: 'SendEvent' as const,
    shape: { kind: 'closed' as const, inFlight },
    users: { kind: 'uniform' as const, count: usersOf(sizes[place] as number) },
  });
  for (const [place, { port }] of targets.entries()) await tryOut(bench, load(place), port, 2 * bench.plan.seconds);
  // What filling has left to be written is written, so that it is nobody's during the measurement.
  await onDatabase(bench.services.databaseUrl, (client) => client.query('checkpoint'));
  return compare(bench, load, targets);
}
