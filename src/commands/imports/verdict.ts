import type { EventCommand } from '../command.ts';
import type { Outcome } from '../outcome.ts';

/** What became of a row, or of a dry run: what would. */
export interface Verdict {
  outcome: 'applied' | 'duplicate' | 'refused';
  /** Of a duplicate: the event that was there. Null: there is none, or it is the row's own. */
  eventId: string | null;
  /** Why it was refused. */
  code: string | null;
  detail: object | null;
}

export const APPLIED: Verdict = { outcome: 'applied', eventId: null, code: null, detail: null };

export function refusedFor(code: string, detail: object): Verdict {
  return { outcome: 'refused', eventId: null, code, detail };
}

export function duplicateOf(eventId: string | null): Verdict {
  return { outcome: 'duplicate', eventId, code: null, detail: null };
}

export function verdictOf(command: EventCommand, outcome: Outcome): Verdict {
  if (outcome.status === 'refused') return refusedFor(outcome.code, outcome.detail);
  if (outcome.status === 'failed') return refusedFor('SET_ASIDE', {});
  return outcome.kind === 'event' && outcome.eventId !== command.id ? duplicateOf(outcome.eventId) : APPLIED;
}
