import type { ProjectCatalog } from '../../db/catalog.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import { formatDecimal } from '../../rules/decimal.ts';
import type { System, Trigger } from '../../rules/types.ts';
import { idOf, madeAt } from '../ids.ts';
import { exactNumber } from '../json.ts';

type Status = 'active' | 'inactive' | 'archived';

/** Tells triggers of a points system by their ids: as they are, or as they were last. */
export async function triggerTeller(call: Call, system: System) {
  const { programs, pool, catalog } = call.api.context;
  const { program } = await currentProgram(call);
  const now = program.systems.find(({ id }) => id === system.id)?.triggers ?? [];
  const { metrics } = await catalog.get(call.projectId);
  const changed = await programs.triggerChanges(pool, call.projectId, program.version);
  const tell = (trigger: Trigger, status: Status) => {
    const made = madeAt(trigger.id);
    const last = changed.get(`${system.key}/${trigger.key}`);
    return {
      id: trigger.id,
      points: Number(trigger.points),
      status,
      ...typeFields(trigger, metrics),
      userAttributes: trigger.userAttributes.map(({ key, value }) => ({ key, value })),
      created: made.toISOString(),
      updated: (last === undefined || last < made ? made : last).toISOString(),
    };
  };
  return {
    active: () => now.filter(({ active }) => active).map((trigger) => tell(trigger, 'active')),
    /** Of triggers that have paid; so each was in some program. */
    async byIds(ids: readonly string[]) {
      const told = new Map<string, ReturnType<typeof tell>>();
      const gone: string[] = [];
      for (const id of new Set(ids)) {
        const trigger = now.find((item) => item.id === id);
        if (trigger === undefined) gone.push(id);
        else told.set(id, tell(trigger, trigger.active ? 'active' : 'inactive'));
      }
      const archived = gone.length === 0 ? [] : await programs.lastOfTriggers(pool, call.projectId, gone);
      for (const trigger of archived) told.set(trigger.id, tell(trigger, 'archived'));
      return told;
    },
  };
}

/** What only triggers of one type have, in the names of an app. */
function typeFields(trigger: Trigger, metrics: ProjectCatalog['metrics']) {
  switch (trigger.type) {
    case 'metric':
      return {
        type: trigger.type,
        metricId: idOf('metric', trigger.metricId),
        metricName: metrics.find(({ id }) => id === trigger.metricId)?.name ?? trigger.metricKey,
        metricThreshold: exactNumber(formatDecimal(trigger.threshold)),
        eventAttributes: trigger.eventAttributes.map(({ key, value }) => ({ key, value })),
      };
    case 'user_creation':
      return { type: trigger.type };
    case 'achievement':
      return { type: trigger.type, achievementId: trigger.achievementId, achievementName: trigger.achievementKey };
    case 'streak':
      return { type: trigger.type, streakLengthThreshold: trigger.length };
    case 'time':
      return { type: trigger.type, ...interval(trigger.every) };
  }
}

const HOUR_MS = 3_600_000;

/** In days where they are whole. */
function interval(every: number): { timeUnit: 'hour' | 'day'; timeInterval: number } {
  const hours = every / HOUR_MS;
  return hours % 24 === 0 ? { timeUnit: 'day', timeInterval: hours / 24 } : { timeUnit: 'hour', timeInterval: hours };
}
