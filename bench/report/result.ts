import type { EventsRow } from '../events.ts';
import type { GrowthResult } from '../growth.ts';
import type { ImportResult } from '../import/result.ts';
import type { Plan } from '../plan.ts';
import type { ReadsResult } from '../reads/measure.ts';
import type { Machine } from './machine.ts';

/** All that one run has measured; a part that was not asked for is absent. */
export interface Result {
  machine: Machine;
  plan: Plan;
  events?: EventsRow[];
  reads?: ReadsResult;
  growth?: GrowthResult;
  import?: ImportResult;
}
