import { Command } from 'commander';
import { runBench } from './all.ts';
import { LONG, type Plan, SECTIONS, SERVERS, SHORT } from './plan.ts';
import { startServices } from './services.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const numbers = (list: string): number[] => list.split(',').map(Number);

const program = new Command('npm run bench --')
  .description('Measures Guerdon beside what it is to be compared with, and writes a report.')
  .option('--long', 'the long form: 10,000,000 entries and an import of 1,000,000 rows')
  .option('--only <sections>', `some of ${SECTIONS.join(',')}`)
  .option('--servers <names>', `some of ${SERVERS.join(',')}; without textbook there are no ratios`)
  .option('--seconds <n>', 'of each measurement', Number)
  .option('--repeat <n>', 'how often each is made', Number)
  .option('--in-flight <list>', 'calls that wait at once, of the loads spread evenly', numbers)
  .option('--out <folder>', 'for the report', 'bench/results')
  .option('--profile <folder>', 'for CPU profiles of Guerdon, which make it slower')
  .parse();

function planOf(): Plan {
  const { long, only, servers, seconds, repeat, inFlight, out, profile } = program.opts();
  const some = { sections: chosen('--only', only, SECTIONS), servers: chosen('--servers', servers, SERVERS) };
  const given = Object.entries({ seconds, repeat, inFlight }).filter(([, value]) => value !== undefined);
  return { ...(long ? LONG : SHORT), ...Object.fromEntries(given), ...some, out, profiles: profile };
}

function chosen<T extends string>(option: string, given: string | undefined, all: readonly T[]): T[] {
  if (given === undefined) return [...all];
  const names = given.split(',');
  const unknown = names.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined) program.error(`${option} has ${unknown}; it can be some of ${all.join(',')}`);
  return all.filter((name) => names.includes(name));
}

const plan = planOf();
const services = await startServices(process.env, say);
// Processes that it started end when their channel to it does.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void services.stop().finally(() => process.exit(130)));
}
try {
  await runBench(plan, services, say);
} finally {
  await services.stop();
}
