import type { Figures } from '../bench.ts';
import type { EventsRow } from '../events.ts';
import type { Result } from './result.ts';

/** One line of the table that Guerdon is judged by. */
export interface Goal {
  what: string;
  /** Undefined: not measured in this run. */
  measured: number | undefined;
  /** How the number is written. */
  unit: 'x' | 'ms' | 'MiB';
  floor: number;
  goal: number;
  /** Whether more is better. */
  more: boolean;
  /** How it was measured where the line does not say it. */
  note: string;
}

export type Verdict = 'goal met' | 'floor met' | 'NOT MET' | 'not measured';

export function verdictOf({ measured, floor, goal, more }: Goal): Verdict {
  if (measured === undefined) return 'not measured';
  const reaches = (bound: number): boolean => (more ? measured >= bound : measured <= bound);
  if (reaches(goal)) return 'goal met';
  return reaches(floor) ? 'floor met' : 'NOT MET';
}

const MIB = 2 ** 20;

export function goalsOf(result: Result): Goal[] {
  return [...eventGoals(result), ...importGoals(result), ...otherGoals(result)];
}

function eventGoals({ events }: Result): Goal[] {
  const row = (kind: EventsRow['kind'], load?: number): EventsRow['figures'] =>
    events?.find((one) => one.kind === kind && (load === undefined || one.load === load))?.figures ?? {};
  const rate = ({ perSecond }: Figures): number => perSecond;
  return [
    {
      what: 'SendEvent, Redis backend, 256 in flight, against textbook (b)',
      measured: against(row('uniform', 256), rate),
      ...{ unit: 'x', floor: 2.5, goal: 3.5, more: true, note: 'events a second' },
    },
    {
      what: 'SendEvent, one hot user, 64 in flight, against textbook (b)',
      measured: against(row('hot'), rate),
      ...{ unit: 'x', floor: 10, goal: 30, more: true, note: 'events a second, Redis backend' },
    },
    {
      what: 'SendEvent, one in flight, p50 against textbook (b)',
      measured: against(row('uniform', 1), ({ p50 }) => p50),
      ...{ unit: 'x', floor: 2, goal: 1.5, more: false, note: 'Redis backend' },
    },
    {
      what: 'SendEvent, Redis backend, 500 events/s offered, p99',
      measured: row('open')['guerdon-redis']?.p99,
      ...{ unit: 'ms', floor: 50, goal: 20, more: false, note: 'from the instant when it was to be sent' },
    },
  ];
}

function against(figures: EventsRow['figures'], part: (figures: Figures) => number): number | undefined {
  const { 'guerdon-redis': guerdon, textbook } = figures;
  return guerdon === undefined || textbook === undefined ? undefined : part(guerdon) / part(textbook);
}

function importGoals({ import: imported }: Result): Goal[] {
  const note = imported === undefined ? '' : `${count(imported.rows)} rows`;
  return [
    {
      what: 'Import of 1,000,000 rows against COPY of the same final rows (c)',
      measured: imported?.ratio,
      ...{ unit: 'x', floor: 0.2, goal: 0.4, more: true, note },
    },
    {
      what: 'SendEvent p99 during an import against idle',
      measured: imported?.p99Ratio,
      ...{ unit: 'x', floor: 5, goal: 2, more: false, note },
    },
    {
      what: 'Memory of the API process during an import of 1,000,000 rows',
      measured: imported === undefined ? undefined : imported.apiRss / MIB,
      ...{ unit: 'MiB', floor: 300, goal: 200, more: false, note },
    },
  ];
}

function otherGoals({ reads, growth }: Result): Goal[] {
  const grown = growth === undefined ? '' : `${count(growth.large)} against ${count(growth.small)}`;
  return [
    {
      what: 'GetUserPoints with 10 awards against the same SQL in pgbench, as many clients',
      measured: reads?.judged,
      ...{ unit: 'x', floor: 0.4, goal: 0.6, more: true },
      note: reads === undefined ? '' : `${reads.judgedClients} clients; ${reads.client}`,
    },
    {
      what: 'Cost of an event at 10,000,000 entries against 100,000, events for as many users',
      measured: growth?.ratio,
      ...{ unit: 'x', floor: 1.15, goal: 1.05, more: false, note: grown },
    },
    {
      what: 'The same, events for all users of each',
      measured: growth?.ratioForAll,
      ...{ unit: 'x', floor: 1.15, goal: 1.05, more: false, note: grown },
    },
  ];
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
