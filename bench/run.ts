import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import type { Bench } from './bench.ts';
import { Databases } from './databases.ts';
import { measureEvents } from './events.ts';
import { fill } from './fill.ts';
import { LoadProcess } from './load/process.ts';
import { LONG, type Plan, SECTIONS, type Section, SHORT } from './plan.ts';
import { startServices } from './services.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const program = new Command('npm run bench --')
  .description('Measures Guerdon beside what it is to be compared with, and writes a report.')
  .option('--long', 'the long form: 10,000,000 entries and an import of 1,000,000 rows')
  .option('--only <sections>', `some of ${SECTIONS.join(',')}`)
  .option('--seconds <n>', 'of each measurement', Number)
  .option('--repeat <n>', 'how often each is made', Number)
  .option('--out <folder>', 'for the report', 'bench/results')
  .addOption(new Option('--profile <folder>', 'for CPU profiles of the servers'))
  .parse();

function planOf(): Plan {
  const { long, only, seconds, repeat, out, profile } = program.opts();
  const sections = only === undefined ? [...SECTIONS] : (only as string).split(',');
  const unknown = sections.find((name) => !(SECTIONS as readonly string[]).includes(name));
  if (unknown !== undefined) program.error(`--only has ${unknown}; it can be some of ${SECTIONS.join(',')}`);
  const base = long ? LONG : SHORT;
  const given = { ...(seconds !== undefined && { seconds }), ...(repeat !== undefined && { repeat }) };
  return { ...base, ...given, sections: sections as Section[], out, profiles: profile };
}

const plan = planOf();
const services = await startServices(process.env, say);
const databases = new Databases(services.databaseUrl);
const load = new LoadProcess();
try {
  say(`filling a database with ${plan.entries} entries`);
  const filled = await databases.createEmpty();
  await fill(filled, plan.entries);
  const bench: Bench = { plan, services, databases, load, filled, say };
  if (plan.sections.includes('events')) {
    const rows = await measureEvents(bench);
    await writeFile('/tmp/events.json', JSON.stringify(rows, null, 1));
  }
} finally {
  load.close();
  await databases.dropAll().catch(() => {});
  await services.stop();
}
