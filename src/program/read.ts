import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { isScalar, type ParsedNode, parseDocument, visit } from 'yaml';
import { formatDecimal, parseDecimal } from '../rules/decimal.ts';
import { readDuration, readLimits, writeDuration, writeLimits } from '../rules/limits-record.ts';
import type {
  Economy,
  EconomyAchievement,
  EconomyLevel,
  EconomyMetric,
  EconomyStreak,
  EconomySystem,
  EconomyTrigger,
  Named,
  Problem,
} from './economy.ts';
import { findProblems } from './problems.ts';
import { economySchema } from './schema.ts';

const FILE_MAX = 2_000_000;

export type ReadEconomy = { economy: Economy; problems: [] } | { economy: undefined; problems: Problem[] };

const validate = new Ajv2020({ allErrors: true, strict: false, verbose: true }).compile(economySchema);

/** Reads an economy file, YAML or JSON; either an economy without a problem, or all problems that were found. */
export function readEconomy(text: string): ReadEconomy {
  if (text.length > FILE_MAX) return failed([{ path: '', message: `must have at most ${FILE_MAX} characters` }]);
  const document = parseDocument(text, { version: '1.2', uniqueKeys: true });
  if (document.errors.length > 0) {
    return failed(document.errors.map((error) => ({ path: '', message: error.message })));
  }
  if (hasAlias(document.contents)) {
    return failed([{ path: '', message: 'must have no aliases (*name): write out what they stand for' }]);
  }
  keepNumbersExact(document.contents);
  const file = document.toJS() ?? {};
  const formProblems = findFormProblems(file);
  if (formProblems.length > 0) return failed(formProblems);
  const economy = withDefaults(file as EconomyFile);
  const problems = findProblems(economy);
  return problems.length > 0 ? failed(problems) : { economy, problems: [] };
}

/** What is wrong with an economy however it came about: what makes it no file, and what makes no sense. */
export function economyProblems(economy: Economy): Problem[] {
  const formProblems = findFormProblems(economy);
  return formProblems.length > 0 ? formProblems : findProblems(economy);
}

function findFormProblems(file: unknown): Problem[] {
  if (validate(file)) return [];
  // Of forms that would do, only that none fits is told.
  const errors = (validate.errors ?? []).filter(
    ({ schemaPath, keyword }) => !schemaPath.includes('/anyOf/') && keyword !== 'if',
  );
  return errors.map((error) => ({ path: keyPath(file, error.instancePath), message: messageOf(error) }));
}

/** A JSON pointer as a path that names the items of lists by their keys. */
function keyPath(file: unknown, pointer: string): string {
  let value = file;
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => {
      const isItem = Array.isArray(value);
      value = (value as Record<string, unknown> | undefined)?.[step];
      const key = isItem ? (value as { key?: unknown } | undefined)?.key : undefined;
      return typeof key === 'string' && key !== '' ? key : step;
    });
  return steps.join('.');
}

function failed(problems: Problem[]): ReadEconomy {
  return { economy: undefined, problems };
}

/** The schema's own message, and what it leaves out: which property, which values, what the value is for. */
function messageOf({ keyword, message, params, parentSchema }: ErrorObject): string {
  if (keyword === 'false schema') return 'does not go with this type';
  if (keyword === 'anyOf') return `has not the right form: ${parentSchema?.description}`;
  if (keyword === 'pattern' && parentSchema?.description) return `${message}: ${parentSchema.description}`;
  if (typeof params.additionalProperty === 'string') return `${message}: ${JSON.stringify(params.additionalProperty)}`;
  return Array.isArray(params.allowedValues) ? `${message}: ${params.allowedValues.join(', ')}` : `${message}`;
}

/** Aliases could make a short file an endless one. */
function hasAlias(root: ParsedNode | null): boolean {
  let found = false;
  visit(root as never, {
    Alias() {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

/** A number becomes its text in the file, so that none passes through binary floating point. */
function keepNumbersExact(root: ParsedNode | null): void {
  visit(root as never, {
    Scalar(_key, node) {
      if (isScalar(node) && typeof node.value === 'number' && node.source !== undefined) {
        node.value = plainNumber(node.source);
      }
    },
  });
}

/** `1_000` and `+5` are not numbers of YAML 1.2's core schema in our sense; what is not plain is left for the schema to refuse. */
function plainNumber(source: string): string {
  return source.startsWith('+') ? source.slice(1) : source;
}

type EconomyFile = Partial<Omit<Economy, 'metrics' | 'streak' | 'achievements' | 'systems'>> & {
  metrics?: (Named & Partial<EconomyMetric>)[];
  streak?: (Pick<EconomyStreak, 'frequency'> & Partial<EconomyStreak>) | null;
  achievements?: AchievementFile[];
  systems?: SystemFile[];
};
type SystemFile = Pick<EconomySystem, 'key' | 'name'> &
  Partial<Omit<EconomySystem, 'levels' | 'triggers'>> & { levels?: LevelFile[]; triggers?: TriggerFile[] };
type LevelFile = Pick<EconomyLevel, 'key' | 'name' | 'points'> & Partial<EconomyLevel>;
/** With the fields of its type, as the schema has it. */
type TriggerFile = Pick<EconomyTrigger, 'key' | 'points'> & Partial<EveryField<EconomyTrigger>>;
type AchievementFile = Pick<EconomyAchievement, 'key' | 'name' | 'type'> & Partial<EveryField<EconomyAchievement>>;
type EveryField<T> = { [K in T extends unknown ? keyof T : never]: T extends Record<K, infer V> ? V : never };

function withDefaults(file: EconomyFile): Economy {
  return {
    timeZone: file.timeZone ?? 'UTC',
    keylessEvents: file.keylessEvents ?? 'mark',
    metrics: (file.metrics ?? []).map(metricWithDefaults),
    userAttributes: (file.userAttributes ?? []).map(namedOnly),
    eventAttributes: (file.eventAttributes ?? []).map(namedOnly),
    streak: file.streak == null ? null : { frequency: file.streak.frequency, metrics: file.streak.metrics ?? [] },
    achievements: (file.achievements ?? []).map(achievementWithDefaults),
    systems: (file.systems ?? []).map(systemWithDefaults),
  };
}

function metricWithDefaults({
  key,
  name,
  unitType = 'number',
  units = '',
}: Named & Partial<EconomyMetric>): EconomyMetric {
  return { key, name, unitType, units };
}

function namedOnly({ key, name }: Named): Named {
  return { key, name };
}

function systemWithDefaults(system: SystemFile): EconomySystem {
  return {
    key: system.key,
    name: system.name,
    description: system.description ?? '',
    badgeUrl: system.badgeUrl ?? '',
    maxPoints: system.maxPoints == null ? null : integerText(system.maxPoints),
    minPoints: system.minPoints === null ? null : integerText(system.minPoints ?? '0'),
    levelBasis: system.levelBasis ?? 'balance',
    boostCeiling: system.boostCeiling == null ? null : decimalText(system.boostCeiling),
    levels: (system.levels ?? []).map((level) => ({
      key: level.key,
      name: level.name,
      description: level.description ?? '',
      badgeUrl: level.badgeUrl ?? '',
      points: integerText(level.points),
      rewards: mapValues(level.rewards ?? {}, integerText),
    })),
    triggers: (system.triggers ?? []).map(triggerWithDefaults),
  };
}

function triggerWithDefaults(trigger: TriggerFile): EconomyTrigger {
  const base = {
    key: trigger.key,
    status: trigger.status ?? 'active',
    points: integerText(trigger.points),
    userAttributes: { ...trigger.userAttributes },
    onFloor: trigger.onFloor ?? 'refuse',
  };
  switch (trigger.type) {
    case 'user_creation':
      return { ...base, type: 'user_creation' };
    case 'time':
      return {
        ...base,
        type: 'time',
        every: writeDuration(readDuration(trigger.every as string)),
        runs: trigger.runs ?? 'always',
      };
    case 'streak':
      return { ...base, type: 'streak', length: integerText(trigger.length as string) };
    case 'achievement':
      return { ...base, type: 'achievement', achievement: trigger.achievement as string };
    default:
      return {
        ...base,
        type: 'metric',
        metric: trigger.metric as string,
        threshold: decimalText(trigger.threshold as string),
        eventAttributes: { ...trigger.eventAttributes },
        limits: { ...writeLimits(readLimits(trigger.limits ?? {})) },
      };
  }
}

function achievementWithDefaults(achievement: AchievementFile): EconomyAchievement {
  const base = {
    key: achievement.key,
    name: achievement.name,
    description: achievement.description ?? '',
    badgeUrl: achievement.badgeUrl ?? '',
    status: achievement.status ?? 'active',
    userAttributes: { ...achievement.userAttributes },
  };
  switch (achievement.type) {
    case 'api':
      return { ...base, type: 'api' };
    case 'metric':
      return {
        ...base,
        type: 'metric',
        metric: achievement.metric as string,
        total: decimalText(achievement.total as string),
      };
    case 'streak':
      return { ...base, type: 'streak', length: integerText(achievement.length as string) };
  }
}

function mapValues(record: Readonly<Record<string, string>>, map: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function integerText(points: string): string {
  return BigInt(points).toString();
}

function decimalText(decimal: string): string {
  return formatDecimal(parseDecimal(decimal));
}
