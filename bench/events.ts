import { type Bench, type Case, compare, type Figures, type Target, tryOut } from './bench.ts';
import { usersOf } from './fill.ts';
import { endServer, type Server, type ServerName, startEmpty, startGuerdon, startTextbook } from './servers.ts';

/** The same load on every server. */
export interface EventsRow {
  title: string;
  kind: 'uniform' | 'zipf' | 'hot' | 'open';
  /** Calls that wait at once; of an open loop, events offered a second. */
  load: number;
  /** Size of the textbook server's pool that did best. */
  pool: number;
  figures: Partial<Record<ServerName, Figures>>;
}

/** Calls in flight of the loads that are not spread evenly. */
const SKEWED_IN_FLIGHT = 64;
const TRY_SECONDS = 1;

/** SendEvent on all servers side by side. */
export async function measureEvents(bench: Bench): Promise<EventsRow[]> {
  const { plan } = bench;
  const servers = await startServers(bench);
  try {
    const users = usersOf(plan.entries);
    await warmUp(bench, servers, users);
    const rows: EventsRow[] = [];
    for (const { title, load, ...one } of casesOf(bench, users)) {
      const pool = await bestPool(bench, servers, one);
      const targets = servers.map((server) => ({ server, port: portOf(server, pool) }));
      const figures = await compare(bench, one, targets);
      const named = servers.map(({ name }, place) => [name, figures[place] as Figures] as const);
      const kind = one.shape.kind === 'open' ? 'open' : one.users.kind;
      rows.push({ title, kind, load, pool, figures: Object.fromEntries(named) });
      bench.say(
        `  ${title}: ${named.map(([name, { perSecond, p50 }]) => `${name} ${perSecond.toFixed(0)}/s ${p50.toFixed(1)} ms`).join(', ')}`,
      );
    }
    return rows;
  } finally {
    for (const server of servers) await endServer(server);
  }
}

/** Each has a database of its own, a copy of the same one. */
async function startServers({ plan, databases, filled, services }: Bench): Promise<Server[]> {
  const { redisUrl } = services;
  const servers = [await startEmpty(), await startTextbook(await databases.copy(filled), plan.pools)];
  const add = async (name: ServerName, options: { redisUrl: string | undefined; split?: boolean }): Promise<void> => {
    const databaseUrl = await databases.copy(filled);
    servers.push(await startGuerdon(name, { databaseUrl, profiles: plan.profiles, ...options }));
  };
  if (redisUrl !== undefined) await add('guerdon-redis', { redisUrl });
  await add('guerdon-postgres', { redisUrl: undefined });
  if (redisUrl !== undefined) await add('guerdon-split', { redisUrl, split: true });
  return servers;
}

function casesOf({ plan }: Bench, count: number): (Case & { title: string; load: number })[] {
  const call = 'SendEvent' as const;
  const uniform = { kind: 'uniform', count } as const;
  const skewed = { kind: 'closed', inFlight: SKEWED_IN_FLIGHT } as const;
  return [
    ...plan.inFlight.map((inFlight) => ({
      title: `${inFlight} in flight`,
      load: inFlight,
      ...{ call, shape: { kind: 'closed', inFlight } as const, users: uniform },
    })),
    {
      title: `${SKEWED_IN_FLIGHT} in flight, Zipf users`,
      load: SKEWED_IN_FLIGHT,
      ...{ call, shape: skewed, users: { kind: 'zipf', count } },
    },
    {
      title: `${SKEWED_IN_FLIGHT} in flight, one hot user`,
      load: SKEWED_IN_FLIGHT,
      ...{ call, shape: skewed, users: { kind: 'hot', count } },
    },
    {
      title: `${plan.offered} a second offered`,
      load: plan.offered,
      ...{ call, shape: { kind: 'open', perSecond: plan.offered }, users: uniform },
    },
  ];
}

async function warmUp(bench: Bench, servers: readonly Server[], count: number): Promise<void> {
  const load: Case = {
    call: 'SendEvent',
    shape: { kind: 'closed', inFlight: SKEWED_IN_FLIGHT },
    users: { kind: 'uniform', count },
  };
  for (const { ports } of servers) {
    for (const port of Object.values(ports)) await tryOut(bench, load, port, bench.plan.seconds);
  }
}

/** The size of pool with which the textbook server does this load best. */
async function bestPool(bench: Bench, servers: readonly Server[], { shape, ...one }: Case): Promise<number> {
  const { ports } = servers.find(({ name }) => name === 'textbook') as Server;
  // In an open loop all of them would do the same: what is offered.
  const full = shape.kind === 'open' ? { kind: 'closed' as const, inFlight: SKEWED_IN_FLIGHT } : shape;
  let best = { size: 0, perSecond: -1 };
  for (const [size, port] of Object.entries(ports)) {
    const perSecond = await tryOut(bench, { shape: full, ...one }, port, Math.min(TRY_SECONDS, bench.plan.seconds));
    if (perSecond > best.perSecond) best = { size: Number(size), perSecond };
  }
  return best.size;
}

function portOf({ ports }: Server, pool: number): Target['port'] {
  return (ports[pool] ?? ports[0]) as number;
}
