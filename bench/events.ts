import { type Bench, type Case, compare, type Figures, type Target, tryOut } from './bench.ts';
import { usersOf } from './fill.ts';
import type { ServerName } from './plan.ts';
import { endServer, type Server, startEmpty, startGuerdon, startTextbook } from './servers.ts';

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
async function startServers(bench: Bench): Promise<Server[]> {
  const { plan, databases, filled, services } = bench;
  const starts: Record<ServerName, (databaseUrl: string) => Promise<Server>> = {
    empty: startEmpty,
    textbook: (databaseUrl) => startTextbook(databaseUrl, plan.pools),
    'guerdon-redis': (databaseUrl) => startGuerdon('guerdon-redis', { databaseUrl, ...redis }),
    'guerdon-postgres': (databaseUrl) =>
      startGuerdon('guerdon-postgres', { databaseUrl, redisUrl: undefined, profiles: plan.profiles }),
    'guerdon-split': (databaseUrl) => startGuerdon('guerdon-split', { databaseUrl, ...redis, split: true }),
  };
  const redis = { redisUrl: services.redisUrl, profiles: plan.profiles };
  const needRedis: readonly ServerName[] = ['guerdon-redis', 'guerdon-split'];
  const names = plan.servers.filter((name) => services.redisUrl !== undefined || !needRedis.includes(name));
  const urls: string[] = [];
  for (const _ of names) urls.push(await databases.copy(filled));
  const started = await Promise.allSettled(names.map((name, place) => starts[name](urls[place] as string)));
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = started.find((one) => one.status === 'rejected');
  if (failed === undefined) return servers;
  for (const server of servers) await endServer(server);
  throw failed.reason;
}

function casesOf({ plan }: Bench, count: number): (Case & { title: string; load: number })[] {
  const call = 'SendEvent' as const;
  const uniform = { kind: 'uniform', count } as const;
  const skewed = { kind: 'closed', inFlight: plan.busy } as const;
  return [
    ...plan.inFlight.map((inFlight) => ({
      title: `${inFlight} in flight`,
      load: inFlight,
      ...{ call, shape: { kind: 'closed', inFlight } as const, users: uniform },
    })),
    {
      title: `${plan.busy} in flight, Zipf users`,
      load: plan.busy,
      ...{ call, shape: skewed, users: { kind: 'zipf', count } },
    },
    {
      title: `${plan.busy} in flight, one hot user`,
      load: plan.busy,
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
    shape: { kind: 'closed', inFlight: bench.plan.busy },
    users: { kind: 'uniform', count },
  };
  for (const { ports } of servers) {
    for (const port of Object.values(ports)) await tryOut(bench, load, port, bench.plan.seconds);
  }
}

/** The size of pool with which the textbook server does this load best. */
async function bestPool(bench: Bench, servers: readonly Server[], { shape, ...one }: Case): Promise<number> {
  const ports = servers.find(({ name }) => name === 'textbook')?.ports ?? {};
  // In an open loop all of them would do the same: what is offered.
  const full = shape.kind === 'open' ? { kind: 'closed' as const, inFlight: bench.plan.busy } : shape;
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
