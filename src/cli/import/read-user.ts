import { create } from '@bufbuild/protobuf';
import type { Profile } from '../../commands/command.ts';
import type { ProjectCatalog } from '../../db/catalog.ts';
import { UserInputSchema } from '../../gen/guerdon/v1/types_pb.ts';
import type { ImportContent, ImportedBalance } from '../../ledger/rows.ts';
import { profileOf, undeclared, userViolations } from '../../rpc/user-input.ts';
import { DECIMAL_PATTERN, formatDecimal, parseDecimal } from '../../rules/decimal.ts';
import { levelOf } from '../../rules/level.ts';
import type { ProgramIndex } from '../../rules/program.ts';
import { POINTS_LIMIT, type System } from '../../rules/types.ts';
import { isDate } from '../../rules/zone.ts';

/** What a row says of a user, or all that is wrong with it; and what is strange. */
export interface ReadUser {
  /** The app's own id; empty: there is none. */
  user: string;
  profile: Profile;
  content: ImportContent;
  problems: string[];
  warnings: string[];
}

/** What the project has, and the time. */
export interface Declared {
  catalog: ProjectCatalog;
  index: ProgramIndex;
  now: number;
}

/** Fields as the file has them. */
type Given = Readonly<Record<string, unknown>>;

const DAY_MS = 86_400_000;
const STREAK_MAX = 100_000;
const INSTANT = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})$/;

/** Reads the fields of one row, and notes what is wrong on the way. */
class Reader {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];

  problem(field: string, what: string): undefined {
    this.problems.push(field === '' ? what : `${field}: ${what}`);
  }

  /** An object with no other fields than `names`, where they are given; absent: an empty one. */
  object(field: string, value: unknown, names?: readonly string[]): Given {
    if (value === undefined || value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) {
      this.problem(field, 'must be an object');
      return {};
    }
    const unknown = Object.keys(value).filter((name) => names !== undefined && !names.includes(name));
    if (unknown.length > 0)
      this.problem(field, `has no field ${unknown.map((name) => JSON.stringify(name)).join(', ')}`);
    return value as Given;
  }

  text(field: string, value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    return typeof value === 'string' ? value : this.problem(field, 'must be a text or a number');
  }

  points(field: string, value: unknown): bigint | undefined {
    const text = this.text(field, value);
    if (text === undefined) return undefined;
    const points = /^-?[0-9]{1,16}$/.test(text) ? BigInt(text) : undefined;
    if (points !== undefined && points <= POINTS_LIMIT && points >= -POINTS_LIMIT) return points;
    return this.problem(field, 'must be a whole number of at most ±(2^53 − 1)');
  }

  decimal(field: string, value: unknown): bigint | undefined {
    const text = this.text(field, value);
    if (text === undefined) return undefined;
    if (DECIMAL_PATTERN.test(text)) return parseDecimal(text);
    return this.problem(field, 'must be a decimal such as 12 or 2.5: 1 to 18 digits, then at most 9 decimals');
  }

  /** A total and the highest that it has ever been. */
  counter(field: string, value: unknown): { total: string; high: string } | undefined {
    const given = this.object(field, value, ['total', 'high']);
    const total = this.decimal(`${field}.total`, given.total);
    if (total === undefined) return this.missing(`${field}.total`, given.total);
    const least = total > 0n ? total : 0n;
    const high = this.decimal(`${field}.high`, given.high) ?? least;
    if (high < least) return this.problem(`${field}.high`, 'must not be below the total, nor below 0');
    return { total: formatDecimal(total), high: formatDecimal(high) };
  }

  missing(field: string, value: unknown): undefined {
    if (value === undefined || value === null) this.problem(field, 'must be given');
  }
}

const FIELDS = ['userId', 'name', 'email', 'tz', 'createdAt', 'attributes', 'points', 'metrics', 'triggers', 'streak'];

export function readUser(row: unknown, declared: Declared): ReadUser {
  const read = new Reader();
  if (typeof row !== 'object' || row === null || Array.isArray(row)) read.problem('', 'must be an object');
  const given = read.object('', row, FIELDS);
  const user = read.text('userId', given.userId) ?? '';
  const profile = readProfile(read, user, given, declared);
  const content: ImportContent = {
    createdAt: readCreatedAt(read, given.createdAt, declared.now),
    balances: byId('systemId', readBalances(read, given.points, declared)),
    totals: byId('metricId', readTotals(read, given.metrics, declared)),
    counters: byId('triggerId', readCounters(read, given.triggers, declared)),
    streak: readStreak(read, given.streak, declared),
  };
  return { user, profile, content, problems: read.problems, warnings: read.warnings };
}

function readProfile(read: Reader, id: string, given: Given, { catalog }: Declared): Profile {
  const attributes = Object.entries(read.object('attributes', given.attributes)).flatMap(([key, value]) => {
    const text = read.text(`attributes.${key}`, value);
    return text === undefined || text === '' ? [] : [[key, text]];
  });
  const texts = ['name', 'email', 'tz'].flatMap((name) => {
    const text = read.text(name, given[name]);
    return text === undefined || text === '' ? [] : [[name, text]];
  });
  const input = create(UserInputSchema, {
    id,
    ...Object.fromEntries(texts),
    attributes: Object.fromEntries(attributes),
  });
  const violations = [
    ...userViolations(input),
    ...undeclared('user.attributes', input.attributes, catalog.userAttributes, 'a user attribute'),
  ];
  for (const { field, description } of violations) {
    read.problem(field === 'user.id' ? 'userId' : field.replace(/^user\./, ''), description);
  }
  return profileOf(input);
}

function readCreatedAt(read: Reader, value: unknown, now: number): number | null {
  const text = read.text('createdAt', value);
  if (text === undefined) return null;
  const [, day = ''] = INSTANT.exec(text) ?? [];
  const at = isDate(day) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at) || day < '1900') {
    read.problem('createdAt', 'must be an instant such as 2024-05-01T12:00:00Z, from 1900 on');
    return null;
  }
  if (at > now) read.problem('createdAt', 'must not be later than now');
  return at;
}

function readBalances(read: Reader, value: unknown, { index }: Declared): ImportedBalance[] {
  return Object.entries(read.object('points', value)).flatMap(([key, item]) => {
    const field = `points.${key}`;
    const system = index.systemByKey.get(key);
    if (system === undefined) return read.problem(field, 'there is no such points system') ?? [];
    const given = read.object(field, item, ['balance', 'earned', 'level']);
    const balance = read.points(`${field}.balance`, given.balance);
    if (balance === undefined) return read.missing(`${field}.balance`, given.balance) ?? [];
    const least = balance > 0n ? balance : 0n;
    const earned = read.points(`${field}.earned`, given.earned) ?? least;
    if (earned < least) return read.problem(`${field}.earned`, 'must not be below the balance, nor below 0') ?? [];
    const level = read.text(`${field}.level`, given.level) || null;
    read.warnings.push(...strange(field, system, { balance, earned, level }));
    return [{ systemId: system.id, balance: balance.toString(), earned: earned.toString(), level }];
  });
}

/** What the economy would not have let come about. */
function strange(
  field: string,
  system: System,
  { balance, earned, level }: { balance: bigint; earned: bigint; level: string | null },
): string[] {
  const { maxPoints, minPoints } = system;
  const given = levelOf(system, { balance, earned, version: 1n })?.key ?? null;
  return [
    ...(level === null || level === given ? [] : [`${field}.level: is ${level}; the economy gives ${given ?? 'none'}`]),
    ...(maxPoints === null || balance <= maxPoints ? [] : [`${field}.balance: is above the cap of ${maxPoints}`]),
    ...(minPoints === null || balance >= minPoints ? [] : [`${field}.balance: is below the floor of ${minPoints}`]),
  ];
}

function readTotals(read: Reader, value: unknown, { catalog }: Declared): ImportContent['totals'] {
  return Object.entries(read.object('metrics', value)).flatMap(([key, item]) => {
    const metricId = catalog.metricIdByKey.get(key);
    if (metricId === undefined) return read.problem(`metrics.${key}`, 'there is no such metric') ?? [];
    const counter = read.counter(`metrics.${key}`, item);
    return counter === undefined ? [] : [{ metricId, ...counter }];
  });
}

function readCounters(read: Reader, value: unknown, { index }: Declared): ImportContent['counters'] {
  return Object.entries(read.object('triggers', value)).flatMap(([name, item]) => {
    const field = `triggers.${name}`;
    const [system = '', key = ''] = name.split('/');
    const trigger = index.systemByKey.get(system)?.triggers.find((one) => one.key === key);
    if (trigger === undefined)
      return read.problem(field, 'there is no such trigger; it is written system/trigger') ?? [];
    if (trigger.type !== 'metric' || trigger.eventAttributes.length === 0) {
      return read.problem(field, 'has no event filters: what it has counted is the total of its metric') ?? [];
    }
    const counter = read.counter(field, item);
    return counter === undefined ? [] : [{ triggerId: trigger.id, ...counter }];
  });
}

function readStreak(read: Reader, value: unknown, { index, now }: Declared): ImportContent['streak'] {
  const given = read.object('streak', value, ['length', 'lastDay']);
  const length = read.points('streak.length', given.length);
  const lastDay = read.text('streak.lastDay', given.lastDay);
  if (length === undefined && lastDay === undefined) return null;
  if (length === undefined || length < 1n || length > STREAK_MAX) {
    return read.problem('streak.length', `must be 1 to ${STREAK_MAX}`) ?? null;
  }
  // Somewhere it is tomorrow already.
  const latest = new Date(now + DAY_MS).toISOString().slice(0, 10);
  if (lastDay === undefined || !isDate(lastDay) || lastDay < '1900' || lastDay > latest) {
    return read.problem('streak.lastDay', 'must be a day YYYY-MM-DD that has begun') ?? null;
  }
  if (index.program.streak === null) read.warnings.push('streak: the project has none; it counts for nothing');
  return { length: Number(length), lastDay };
}

/** In one order, however the file has them: the same content is to have the same form. */
function byId<K extends string, T extends Readonly<Record<K, string>>>(id: K, items: readonly T[]): T[] {
  return [...items].sort((a, b) => (a[id] < b[id] ? -1 : 1));
}
