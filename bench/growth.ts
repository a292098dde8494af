import { type Bench, compare, type Figures, type Target, tryOut } from './bench.ts';
import { onDatabase } from './databases.ts';
import { fill, usersOf } from './fill.ts';
import type { Users } from './load/spec.ts';
import { endServer, type Server, startGuerdon } from './servers.ts';

export interface GrowthRow {
  /** Calls that wait at once. */
  inFlight: number;
  small: Figures;
  /** Events for as many users as in the small one, who are spread over all. */
  large: Figures;
  /** Events for any user. */
  largeForAll: Figures;
}

export interface GrowthResult {
  /** Ledger entries of the two databases. */
  small: number;
  large: number;
  rows: GrowthRow[];
  /** What an event costs in the large one against the small one, at the most calls in flight, for as many users and for all. */
  ratio: number;
  ratioForAll: number;
}

/** SendEvent on a large ledger beside a small one: for as many users in both, and for all that the large one has. */
export async function measureGrowth(bench: Bench): Promise<GrowthResult> {
  const { plan, databases } = bench;
  const small = await databases.copy(bench.filled);
  bench.say(`filling a database with ${plan.entriesLarge} entries`);
  const large = await databases.createEmpty();
  await fill(large, plan.entriesLarge);
  const servers: Server[] = [];
  try {
    const onSmall = await open(bench, small, servers);
    const onLarge = await open(bench, large, servers);
    const users = usersOf(plan.entries);
    const all = usersOf(plan.entriesLarge);
    const loads: Load[] = [
      { target: onSmall, users: { kind: 'uniform', count: users } },
      { target: onLarge, users: { kind: 'uniform', count: users, every: Math.floor(all / users) } },
      { target: onLarge, users: { kind: 'uniform', count: all } },
    ];
    for (const load of loads) await warmUp(bench, load);
    const rows: GrowthRow[] = [];
    for (const inFlight of [1, plan.busy]) {
      const [few, many, forAll] = (await alternate(bench, inFlight, loads)) as [Figures, Figures, Figures];
      rows.push({ inFlight, small: few, large: many, largeForAll: forAll });
      const told = [few, many, forAll].map(({ perSecond, p50 }) => `${perSecond.toFixed(0)}/s ${p50.toFixed(2)} ms`);
      bench.say(`  ${inFlight} in flight: ${told[0]} against ${told[1]}, and ${told[2]} for all users`);
    }
    const { small: few, large: many, largeForAll } = rows.at(-1) as GrowthRow;
    return {
      ...{ small: plan.entries, large: plan.entriesLarge, rows },
      ratio: few.perSecond / many.perSecond,
      ratioForAll: few.perSecond / largeForAll.perSecond,
    };
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

interface Load {
  target: Target;
  users: Users;
}

/**
 * So many events for each of the few users, in each load: then what they touch is in memory as it would be on a server that has
 * run for a while. All users of the large ledger are too many for that.
 */
const WARM_EVENTS = 3;

async function warmUp(bench: Bench, { target, users }: Load): Promise<void> {
  const { plan } = bench;
  const shape = { kind: 'closed' as const, inFlight: plan.busy };
  const seconds = 2 * plan.seconds;
  for (let events = 0; events < WARM_EVENTS * usersOf(plan.entries); ) {
    events += seconds * (await tryOut(bench, { call: 'SendEvent', shape, users }, target.port, seconds));
  }
}

/** What is measured is done in turn with all loads. */
async function alternate(bench: Bench, inFlight: number, loads: readonly Load[]): Promise<Figures[]> {
  const load = (place: number) => ({
    call: 'SendEvent' as const,
    shape: { kind: 'closed' as const, inFlight },
    users: (loads[place] as Load).users,
  });
  const targets = loads.map(({ target }) => target);
  // What filling and warming up have left to be written is written, so that it is nobody's during the measurement.
  await onDatabase(bench.services.databaseUrl, (client) => client.query('checkpoint'));
  return compare(bench, load, targets);
}
