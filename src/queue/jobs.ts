import { type Command, contentOf, digest, identityOf } from '../commands/command.ts';

/** The one queue of a deployment; named after it, so that several deployments may share a Redis. */
export function queueName(deployment: string): string {
  return `guerdon-${deployment}`;
}

/** What happens at its time: statuses of boosts, and webhooks that are told. */
export type Timed = 'schedule' | 'webhooks';

/** A queue for each of them, so that none waits for another. */
export function timedName(deployment: string, timed: Timed): string {
  return `${queueName(deployment)}-${timed}`;
}

/** What every job in the first is called. */
export const JOB = 'apply';

/** Most commands that travel in one job. */
export const COMMANDS_MAX = 500;

export interface Job {
  commands: readonly Command[];
}

/**
 * A finished or failed job leaves at once, else its id would swallow the same commands when they are queued again. A
 * job fails only when PostgreSQL does, so it is tried again for long; who waits gives up by its own deadline.
 */
export const JOB_OPTIONS = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 600,
  backoff: { type: 'custom' },
} as const;

/**
 * Names a job after all that is in it, so that the queue drops a repeat that is still in flight. Identity and content
 * both count: a repeat with other content must reach the pipeline to be refused there. A keyless command's identity is
 * its attempt, which no other shares.
 */
export function jobId(commands: readonly Command[]): string {
  return `j-${digest(commands.flatMap((command) => [identityOf(command), contentOf(command)]))}`;
}
