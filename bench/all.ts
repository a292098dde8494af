import type { Bench } from './bench.ts';
import { Databases } from './databases.ts';
import { measureEvents } from './events.ts';
import { fill } from './fill.ts';
import { measureGrowth } from './growth.ts';
import { measureImport } from './import/measure.ts';
import { LoadProcess } from './load/process.ts';
import type { Plan, Section } from './plan.ts';
import { measureReads } from './reads/measure.ts';
import { describeMachine, loadNow } from './report/machine.ts';
import type { Result } from './report/result.ts';
import { writeReport } from './report/write.ts';
import type { Services } from './services.ts';

/** Measures what the plan has, and writes the report after each part, so that a run that is cut short leaves one. */
export async function runBench(plan: Plan, services: Services, say: (line: string) => void): Promise<Result> {
  const databases = new Databases(services.databaseUrl);
  const load = new LoadProcess();
  const machine = await describeMachine(services, databases);
  const result: Result = { machine, plan };
  try {
    say(`filling a database with ${plan.entries} entries`);
    const filled = await databases.createEmpty();
    await fill(filled, plan.entries);
    const bench: Bench = { plan, services, databases, load, filled, say };
    const parts: Record<Section, () => Promise<void>> = {
      events: async () => {
        result.events = await measureEvents(bench);
      },
      reads: async () => {
        result.reads = await measureReads(bench);
      },
      growth: async () => {
        result.growth = await measureGrowth(bench);
      },
      import: async () => {
        result.import = await measureImport(bench);
      },
    };
    for (const section of plan.sections) {
      say(section);
      await parts[section]();
      await databases.dropAll(filled);
      machine.loadAfter = loadNow();
      await writeReport(result, say);
    }
    return result;
  } finally {
    load.close();
    await databases.dropAll();
  }
}
