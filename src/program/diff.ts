import type { Economy, EconomyStreak } from './economy.ts';

/** One thing that a change makes, alters or archives, with the fields that differ. */
export interface Change {
  action: 'create' | 'update' | 'archive';
  kind:
    | 'project'
    | 'api_key'
    | 'metric'
    | 'user_attribute'
    | 'event_attribute'
    | 'streak'
    | 'achievement'
    | 'points_system'
    | 'level'
    | 'trigger'
    | 'boost'
    | 'webhook';
  /** `key`, or `system/key` for what belongs to a points system; empty for what there is one of. */
  key: string;
  fields: readonly FieldChange[];
}

export interface FieldChange {
  field: string;
  /** Null: there was none. */
  before: Value;
  after: Value;
}

type Value = string | null | Readonly<Record<string, string>>;
export type Fields = Readonly<Record<string, Value>>;

/** What has to happen to `before` for it to become `after`: first what is made, then what changes, then what goes. */
export function diff(before: Economy, after: Economy): Change[] {
  const old = parts(before);
  const made: Change[] = [];
  const altered: Change[] = [];
  for (const [id, part] of parts(after)) {
    const was = old.get(id);
    old.delete(id);
    const fields = fieldChanges(was?.fields ?? {}, part.fields);
    if (was === undefined) made.push({ action: 'create', kind: part.kind, key: part.key, fields });
    else if (fields.length > 0) altered.push({ action: 'update', kind: part.kind, key: part.key, fields });
  }
  const gone = [...old.values()].map(
    ({ kind, key, fields }): Change => ({ action: 'archive', kind, key, fields: fieldChanges(fields, {}) }),
  );
  return [...made, ...altered, ...gone];
}

interface Part {
  kind: Change['kind'];
  key: string;
  fields: Fields;
}

/** The economy as a flat set of things, each with its own fields. */
function parts(economy: Economy): Map<string, Part> {
  const all: Part[] = [
    {
      kind: 'project',
      key: '',
      fields: { timeZone: economy.timeZone, keylessEvents: economy.keylessEvents },
    },
    ...economy.metrics.map(({ key, ...fields }): Part => ({ kind: 'metric', key, fields })),
    ...economy.userAttributes.map(({ key, name }): Part => ({ kind: 'user_attribute', key, fields: { name } })),
    ...economy.eventAttributes.map(({ key, name }): Part => ({ kind: 'event_attribute', key, fields: { name } })),
    ...(economy.streak === null ? [] : [streakPart(economy.streak)]),
    ...economy.achievements.map(({ key, ...fields }): Part => ({ kind: 'achievement', key, fields })),
  ];
  for (const { key: system, levels, triggers, ...fields } of economy.systems) {
    all.push({ kind: 'points_system', key: system, fields });
    for (const { key, ...level } of levels) all.push({ kind: 'level', key: `${system}/${key}`, fields: level });
    triggers.forEach(({ key, ...trigger }, index) => {
      all.push({ kind: 'trigger', key: `${system}/${key}`, fields: { ...trigger, position: String(index + 1) } });
    });
  }
  return new Map(all.map((part) => [`${part.kind} ${part.key}`, part]));
}

function streakPart({ frequency, metrics }: EconomyStreak): Part {
  return { kind: 'streak', key: '', fields: { frequency, metrics: metrics.join(', ') } };
}

/** The fields that differ. */
export function fieldChanges(before: Fields, after: Fields): FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .map((field) => ({ field, before: before[field] ?? null, after: after[field] ?? null }))
    .filter((change) => text(change.before) !== text(change.after));
}

function text(value: Value): string {
  if (value === null || typeof value === 'string') return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
