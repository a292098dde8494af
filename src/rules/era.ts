import type { ProgramSnapshot, SystemSnapshot } from './program.ts';

/**
 * All of a program that decides what the clock gives, as a text; empty: the clock gives nothing. Programs whose texts are
 * the same settle any tick alike. Names, keys and the order of boosts make no difference.
 */
export function timePart({ timeZone, systems }: ProgramSnapshot): string {
  const timed = systems.filter(({ triggers }) => triggers.some(isTimed));
  if (timed.length === 0) return '';
  return canonical({ timeZone, systems: timed.map(timedPart).sort(byId) });
}

function isTimed(trigger: SystemSnapshot['triggers'][number]): boolean {
  return trigger.type === 'time' && trigger.active;
}

function timedPart({ id, maxPoints, minPoints, boostCeiling, triggers, boosts }: SystemSnapshot) {
  return {
    id,
    maxPoints,
    minPoints,
    boostCeiling,
    triggers: triggers.filter(isTimed).map(({ key, ...trigger }) => trigger),
    boosts: boosts.map(({ name, ...boost }) => boost).sort(byId),
  };
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** JSON with the keys of objects in order: what comes from the database has them in another. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
