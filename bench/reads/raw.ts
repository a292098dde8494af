import pg from 'pg';
import { type Statement, valuesFor } from './statements.ts';

// What pgbench does, for where there is none: each connection runs the prepared statements one after the other, again and
// again, for a user chosen anew each time, and the rate of all of them together is printed.

const databaseUrl = process.env.DATABASE_URL as string;
const { clients, seconds, users, statements } = JSON.parse(process.argv[2] as string) as {
  clients: number;
  seconds: number;
  users: number;
  statements: Statement[];
};

const WARMUP_MS = 300;
let from = 0;
let to = 0;
let rounds = 0;

async function run(client: pg.Client): Promise<void> {
  while (performance.now() < to) {
    const user = 1 + Math.floor(Math.random() * users);
    for (const [place, statement] of statements.entries()) {
      await client.query({ name: `s${place}`, text: statement.text, values: valuesFor(statement, user) });
    }
    if (performance.now() >= from && performance.now() < to) rounds += 1;
  }
}

const open = Array.from({ length: clients }, () => new pg.Client({ connectionString: databaseUrl }));
await Promise.all(open.map((client) => client.connect()));
from = performance.now() + WARMUP_MS;
to = from + seconds * 1000;
await Promise.all(open.map(run));
await Promise.all(open.map((client) => client.end()));
process.stdout.write(String(rounds / seconds));
