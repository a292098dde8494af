import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goalsOf, verdictOf } from './goals.ts';
import { markdown } from './markdown.ts';
import { picture } from './picture.ts';
import type { Result } from './result.ts';

/** Writes the report of a run: to be read, to be computed with, and to be looked at. */
export async function writeReport(result: Result, say: (line: string) => void): Promise<void> {
  const { out, form } = result.plan;
  await mkdir(out, { recursive: true });
  const path = (end: string): string => join(out, `${form}.${end}`);
  const goals = goalsOf(result).map((goal) => ({ ...goal, verdict: verdictOf(goal) }));
  await writeFile(path('json'), `${JSON.stringify({ ...result, goals }, null, 2)}\n`);
  await writeFile(path('svg'), picture(result));
  await writeFile(path('md'), markdown(result, `${form}.svg`));
  say(`  report: ${path('md')}`);
}
