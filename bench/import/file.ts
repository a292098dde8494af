import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { randomOf } from '../load/random.ts';
import { ENTRIES_EACH } from '../plan.ts';

const FIRST = Date.UTC(2025, 0, 1);
const LINES = 1_000;

/** Writes events of users who are not known yet, in the order of time, a line of JSON each. */
export async function writeEvents(path: string, rows: number, prefix: string): Promise<void> {
  const random = randomOf(rows);
  const users = Math.max(1, Math.floor(rows / ENTRIES_EACH));
  const file = createWriteStream(path);
  for (let start = 0; start < rows; start += LINES) {
    let text = '';
    for (let row = start; row < Math.min(rows, start + LINES); row += 1) {
      const user = { id: `${prefix}-${1 + Math.floor(random() * users)}` };
      const occurredAt = new Date(FIRST + row * 1_000).toISOString();
      text += `${JSON.stringify({ metricKey: 'lessons', user, value: '1', idempotencyKey: `import-${row}`, occurredAt })}\n`;
    }
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await finished(file);
}
