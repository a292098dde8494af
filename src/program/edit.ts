import type { ItemProblem } from './boost.ts';
import type { Economy, EconomyAchievement, EconomySystem, EconomyTrigger } from './economy.ts';
import { economyProblems } from './read.ts';

/** The lists of an economy; those of `level` and `trigger` are in a points system. */
export type EditKind =
  | 'metric'
  | 'user_attribute'
  | 'event_attribute'
  | 'achievement'
  | 'points_system'
  | 'level'
  | 'trigger';

/** One change of one thing. */
export interface Edit {
  action: 'create' | 'update' | 'archive';
  kind: EditKind;
  /** Key of the points system of a level or a trigger. */
  system: string | null;
  key: string;
  /** What is set, in the names of the economy. */
  fields: Readonly<Record<string, unknown>>;
  /** Place in the list, from 1; undefined: where it is, or the last. */
  position?: number | undefined;
}

interface Keyed {
  key: string;
}

type Edited = { economy: Economy; problems: [] } | { economy: undefined; problems: ItemProblem[] };

/** The economy after all changes, where nothing is wrong with any: asked once, which is less work than for each. */
export function editAll(economy: Economy, changes: readonly Edit[]): Economy | undefined {
  let next: Economy | undefined = economy;
  for (const change of changes) next = next && place(next, change).economy;
  return next !== undefined && economyProblems(next).length === 0 ? next : undefined;
}

/** The economy after the change, or what is wrong with it: then nothing of it is done. */
export function edit(economy: Economy, change: Edit): Edited {
  const placed = place(economy, change);
  if (placed.economy === undefined) return placed;
  const problems = economyProblems(placed.economy).map((problem) => asItemProblem(change, problem));
  return problems.length > 0 ? { economy: undefined, problems } : placed;
}

/** The economy with the thing made, altered or taken out, whatever comes of it. */
function place(economy: Economy, change: Edit): Edited {
  const { action, kind, key } = change;
  const list = listOf(economy, change);
  const at = list.findIndex((item) => item.key === key);
  if (action === 'create' && at >= 0) return failed({ field: 'key', message: `${JSON.stringify(key)} is taken` });
  if (action !== 'create' && at < 0) {
    return failed({ field: 'key', message: `there is no ${kind.replace('_', ' ')} ${JSON.stringify(key)}` });
  }
  const rest = list.filter((_, other) => other !== at);
  const index = change.position === undefined ? (at < 0 ? rest.length : at) : change.position - 1;
  const item = altered(list[at] ?? {}, change);
  const next = withList(economy, change, action === 'archive' ? rest : rest.toSpliced(index, 0, item));
  return { economy: next, problems: [] };
}

function failed(problem: ItemProblem): { economy: undefined; problems: ItemProblem[] } {
  return { economy: undefined, problems: [problem] };
}

const LISTS = {
  metric: 'metrics',
  user_attribute: 'userAttributes',
  event_attribute: 'eventAttributes',
  achievement: 'achievements',
  points_system: 'systems',
  level: 'levels',
  trigger: 'triggers',
} as const;

function listOf(economy: Economy, { kind, system }: Edit): readonly Keyed[] {
  if (kind !== 'level' && kind !== 'trigger') return economy[LISTS[kind]];
  return economy.systems.find((item) => item.key === system)?.[LISTS[kind]] ?? [];
}

function withList(economy: Economy, { kind, system }: Edit, list: readonly Keyed[]): Economy {
  if (kind !== 'level' && kind !== 'trigger') return { ...economy, [LISTS[kind]]: list };
  const systems = economy.systems.map((item) => (item.key === system ? { ...item, [LISTS[kind]]: list } : item));
  return { ...economy, systems };
}

const NAMED = { name: '' };
const SYSTEM: Omit<EconomySystem, 'key'> = {
  name: '',
  description: '',
  badgeUrl: '',
  maxPoints: null,
  minPoints: '0',
  levelBasis: 'balance',
  boostCeiling: null,
  levels: [],
  triggers: [],
};

/** What a new thing has where nothing is said; what must be said is empty, and refused as such. */
const DEFAULTS: Record<EditKind, object> = {
  metric: { ...NAMED, unitType: 'number', units: '' },
  user_attribute: NAMED,
  event_attribute: NAMED,
  points_system: SYSTEM,
  achievement: { name: '', description: '', badgeUrl: '', status: 'active', type: '', userAttributes: {} },
  level: { name: '', description: '', badgeUrl: '', points: '', rewards: {} },
  trigger: { status: 'active', type: 'metric', points: '', userAttributes: {}, onFloor: 'refuse' },
};

/** The same for what only things of one type have. */
const OF_TYPE: Partial<Record<EditKind, Readonly<Record<string, object>>>> & {
  achievement: Record<EconomyAchievement['type'], object>;
  trigger: Record<EconomyTrigger['type'], object>;
} = {
  achievement: { api: {}, metric: { metric: '', total: '' }, streak: { length: '' } },
  trigger: {
    metric: { metric: '', threshold: '', eventAttributes: {}, limits: {} },
    user_creation: {},
    time: { every: '', runs: 'always' },
    streak: { length: '' },
    achievement: { achievement: '' },
  },
};

/** The types that things of a kind have; none: they have no type. */
export function typesOf(kind: EditKind): string[] {
  return Object.keys(OF_TYPE[kind] ?? {});
}

/** The thing with the fields set; one of another type keeps what things of every type have. */
function altered(was: object, { kind, key, fields }: Edit): Keyed {
  const type = String({ ...DEFAULTS[kind], ...was, ...fields }.type);
  const all = { ...DEFAULTS[kind], ...OF_TYPE[kind]?.[type] };
  const kept = Object.entries(was).filter(([name]) => Object.hasOwn(all, name));
  return { ...all, ...Object.fromEntries(kept), ...fields, key };
}

/** A problem of the whole economy as one of the item that brings it about: its own field, or else where it shows. */
function asItemProblem({ kind, system, key }: Edit, { path, message }: { path: string; message: string }): ItemProblem {
  const own = `${system === null ? '' : `systems.${system}.`}${LISTS[kind]}.${key}.`;
  if (!path.startsWith(own)) return { field: '', message: path === '' ? message : `${path}: ${message}` };
  // What follows a list is a key, which is left as it is.
  const field = path
    .slice(own.length)
    .replace(/^(limits\.)?[^.]*/, (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  return { field, message };
}
