import { type Figures, OFFERED_TIMES } from '../bench.ts';
import type { EventsRow } from '../events.ts';
import { ENTRIES_EACH, type ServerName } from '../plan.ts';
import { TITLES } from '../servers.ts';
import { count, goalsOf, verdictOf } from './goals.ts';
import type { Machine } from './machine.ts';
import type { Result } from './result.ts';

const MIB = 2 ** 20;

/** The report as a page; every figure has its ratio beside it. */
export function markdown(result: Result, picture: string): string {
  const { machine, plan } = result;
  return [
    `# Benchmark, ${plan.form} form`,
    `![Throughput and ratios](${picture})`,
    'How to run it, what each server is and how to read this: [docs/BENCHMARK.md](../../docs/BENCHMARK.md).',
    ...(plan.profiles === undefined ? [] : ['**Guerdon ran under a profiler here, which makes it slower.**']),
    '## Against the goals',
    goals(result),
    '## Machine',
    machineTable(machine),
    `Each measurement took ${plan.seconds} s after ${plan.warmupSeconds} s that are not counted, ${plan.repeat} times (what is offered, ${OFFERED_TIMES} times as long), in turn with those beside it; figures are medians of these. Every database began with ${count(plan.entries)} ledger entries, ${ENTRIES_EACH} for each user.`,
    ...eventsPart(result),
    ...readsPart(result),
    ...growthPart(result),
    ...importPart(result),
    '',
  ].join('\n\n');
}

function goals(result: Result): string {
  const rows = goalsOf(result).map((goal) => {
    const { what, measured, unit, floor, goal: wanted, more, note } = goal;
    const bound = (value: number): string => `${more ? '≥' : '≤'} ${value} ${unit}`;
    const shown = measured === undefined ? '–' : `**${number(measured)} ${unit}**`;
    return [what, shown, bound(floor), bound(wanted), verdictOf(goal), note];
  });
  return table(['what', 'measured', 'floor', 'goal', 'met', 'measured with'], rows);
}

function machineTable(machine: Machine): string {
  const settings = Object.entries(machine.settings).map(([name, value]) => `${name} ${value}`);
  const careless = machine.settings.fsync !== 'on' || machine.settings.synchronous_commit !== 'on';
  const rows = [
    ['date', machine.date],
    ['commit', machine.commit],
    ['system', machine.system],
    ['processor', `${machine.cores} cores, ${machine.cpu}`],
    ['memory', `${(machine.memory / 2 ** 30).toFixed(1)} GiB`],
    ['load average', `${machine.loadBefore.toFixed(2)} before the run, ${machine.loadAfter.toFixed(2)} at its end`],
    ['Node', machine.node],
    ['PostgreSQL', `${machine.postgres} (${machine.postgresFrom}): ${settings.join(', ')}`],
    ['Redis', `${machine.redis} (${machine.redisFrom})`],
  ];
  const warning = '**This PostgreSQL does not wait for the disk: commits are cheaper here than where they are safe.**';
  const busy = machine.loadBefore > machine.cores / 2;
  const others = '**Something else was at work on this machine: figures are too low, and ratios uncertain.**';
  return [table(['', ''], rows), ...(careless ? [warning] : []), ...(busy ? [others] : [])].join('\n\n');
}

function eventsPart({ events }: Result): string[] {
  if (events === undefined) return [];
  return ['## SendEvent', ...events.flatMap(eventsTable)];
}

function eventsTable({ title, kind, pool, figures }: EventsRow): string[] {
  const names = Object.keys(figures) as ServerName[];
  const textbook = figures.textbook ?? { perSecond: Number.NaN, p50: Number.NaN };
  const rows = names.map((name) => {
    const own = figures[name] as Figures;
    return [
      TITLES[name],
      count(own.perSecond),
      `${count(Math.min(...own.each))} – ${count(Math.max(...own.each))}`,
      times(own.perSecond / textbook.perSecond),
      ...[own.p50, own.p99].map(number),
      times(own.p50 / textbook.p50),
      own.cpuPerCall.toFixed(2),
      (own.rss / MIB).toFixed(0),
      (own.heap / MIB).toFixed(0),
      String(own.failed),
    ];
  });
  const head = [
    'server',
    'events/s',
    'least – most',
    'to (b)',
    'p50 ms',
    'p99 ms',
    'p50 to (b)',
    'CPU ms/event',
    'RSS MiB',
    'heap MiB',
    'failed',
  ];
  const what = kind === 'open' ? 'latency from the instant when an event was to be sent' : `pool of (b): ${pool}`;
  return [`### ${title}`, table(head, rows), what];
}

function readsPart({ reads }: Result): string[] {
  if (reads === undefined) return [];
  const rows = reads.rows.map(({ clients, guerdon, sql }) => [
    String(clients),
    ...[guerdon.perSecond, sql].map(count),
    times(guerdon.perSecond / sql),
    ...[guerdon.p50, guerdon.p99].map(number),
    (guerdon.rss / MIB).toFixed(0),
    (guerdon.heap / MIB).toFixed(0),
  ]);
  const head = [
    'clients',
    'Guerdon, calls/s',
    'SQL alone, times/s',
    'ratio',
    'p50 ms',
    'p99 ms',
    'RSS MiB',
    'heap MiB',
  ];
  return [
    '## GetUserPoints with 10 awards',
    table(head, rows),
    `SQL alone: ${reads.client}. The ${reads.statements.length} statements are those that one call sent:`,
    `\`\`\`sql\n${reads.statements.map((text) => `${text};`).join('\n\n')}\n\`\`\``,
  ];
}

function growthPart({ growth }: Result): string[] {
  if (growth === undefined) return [];
  const { small, large } = growth;
  const rows = growth.rows.flatMap(({ inFlight, small: few, large: many, largeForAll: all }) => [
    [
      `${inFlight} in flight, events/s`,
      ...[few, many, all].map(({ perSecond }) => count(perSecond)),
      ...[many, all].map(({ perSecond }) => times(few.perSecond / perSecond)),
    ],
    [
      `${inFlight} in flight, p50 ms`,
      ...[few, many, all].map(({ p50 }) => number(p50)),
      ...[many, all].map(({ p50 }) => times(p50 / few.p50)),
    ],
    [`${inFlight} in flight, RSS MiB`, ...[few, many, all].map(({ rss }) => mib(rss)), '', ''],
  ]);
  const head = [
    '',
    `${count(small)} entries`,
    `${count(large)} entries, as many users`,
    'for all users',
    'cost',
    'for all',
  ];
  return ['## Growth of the ledger', table(head, rows)];
}

function importPart({ import: imported }: Result): string[] {
  if (imported === undefined) return [];
  const rows = [
    ['rows/s, and of COPY (c)', count(imported.perSecond), count(imported.copyPerSecond), times(imported.ratio)],
    [
      `SendEvent p50 ms at ${imported.beside}/s, and idle`,
      ...[imported.p50During, imported.p50Idle].map(number),
      times(imported.p50During / imported.p50Idle),
    ],
    ['SendEvent p99 ms, and idle', ...[imported.p99During, imported.p99Idle].map(number), times(imported.p99Ratio)],
    ['API process, RSS and heap, MiB', mib(imported.apiRss), mib(imported.apiHeap), ''],
    ['worker process, RSS and heap, MiB', mib(imported.workerRss), mib(imported.workerHeap), ''],
  ];
  const final = Object.entries(imported.finalRows).map(([name, rowsOf]) => `${name} ${count(rowsOf)}`);
  return [
    `## Import of ${count(imported.rows)} rows`,
    table(['', 'import', 'compared', 'ratio'], rows),
    `Final rows that COPY (c) brought in: ${final.join(', ')}.`,
  ];
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}

function times(ratio: number): string {
  return `${number(ratio)}×`;
}

/** Three digits, or more where there are more before the point. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100 ? count(value) : value.toPrecision(3);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
