import { hash } from 'node:crypto';
import { canonical } from '../ledger/hash.ts';
import type { ImportContent } from '../ledger/rows.ts';
import type { Attributes, Instant } from '../rules/types.ts';

/** What a command may change of the user's profile; absent fields stay. */
export interface Profile {
  name?: string;
  email?: string;
  tz?: string;
  attributes?: Attributes;
  /** None: the user has none. */
  deviceTokens?: readonly string[];
}

interface CommandBase {
  /** UUID of this attempt, made when the API received it. */
  id: string;
  projectId: string;
  /** The app's own id of the user. */
  user: string;
  receivedAt: Instant;
  /** Address of the process whose call waits for the outcome. */
  replyTo?: string;
  /** True when a row of the inbox holds the command until it is applied. */
  inbox?: true;
}

/** A metric event on its way to be applied; plain JSON, since it travels in a job. */
export interface EventCommand extends CommandBase {
  kind: 'event';
  profile: Profile;
  metricId: string;
  /** A decimal in its shortest form. */
  value: string;
  attributes: Attributes;
  /** Null: the event stands by itself. */
  key: string | null;
  occurredAt: Instant;
  occurredAtSent: boolean;
}

/** A spend of `amount` > 0 points, or an adjustment by `amount`. */
export interface TransactionCommand extends CommandBase {
  kind: 'spend' | 'adjust';
  systemId: string;
  amount: string;
  reason: string;
  key: string;
}

/** A user who is to be made known, changed, or whichever it takes. */
export interface UserCommand extends CommandBase {
  kind: 'user';
  mode: 'create' | 'identify' | 'update';
  profile: Profile;
}

/** An achievement that the app completes for a user. */
export interface CompleteCommand extends CommandBase {
  kind: 'complete';
  profile: Profile;
  achievementId: string;
}

/** Settles what is due for a user by the clock, and does nothing else. */
export interface SettleCommand extends CommandBase {
  kind: 'settle';
}

/** A user who is to be made known with what it had elsewhere. */
export interface ImportCommand extends CommandBase {
  kind: 'import';
  /** Taken when the user becomes known, and no part of what a repeat must share. */
  profile: Profile;
  content: ImportContent;
  /** Whether webhooks are told of the points, levels and streak that the user has then. */
  announce: boolean;
}

export type Command = EventCommand | TransactionCommand | UserCommand | CompleteCommand | SettleCommand | ImportCommand;

export function isTransaction(command: Command): command is TransactionCommand {
  return command.kind === 'spend' || command.kind === 'adjust';
}

/** What makes two commands the same one: a repeat has the identity of the first. */
export function identityOf(command: Command): string {
  const { projectId, user } = command;
  switch (command.kind) {
    case 'user':
    case 'settle':
      return command.id;
    case 'complete':
      return canonical([projectId, user, command.kind, command.achievementId]);
    case 'import':
      return canonical([projectId, user, command.kind]);
    case 'spend':
    case 'adjust':
      return canonical([projectId, user, command.kind, command.systemId, command.key]);
    case 'event':
      return command.key === null ? command.id : canonical([projectId, user, command.metricId, command.key]);
  }
}

/** The content that a repeat must share with the first; the profile and the reason may differ. */
export function contentOf(command: Command): string {
  switch (command.kind) {
    case 'user':
      return canonical([command.mode, command.profile]);
    case 'spend':
    case 'adjust':
      return command.amount;
    case 'event':
      return eventContent(command.value, command.attributes, command.occurredAtSent ? command.occurredAt : null);
    case 'import':
      return canonical(command.content);
    case 'complete':
    case 'settle':
      return '';
  }
}

export function eventContent(value: string, attributes: Attributes, occurredAt: Instant | null): string {
  return canonical([value, attributes, occurredAt]);
}

/** A short stable name for a list of strings, usable as a job id. */
export function digest(parts: readonly string[]): string {
  return hash('sha256', canonical(parts), 'base64url');
}

/** The lane a user is in, of `lanes` in the whole deployment: the one place that says so. */
export function laneOf(command: Pick<Command, 'projectId' | 'user'>, lanes: number): number {
  return laneOfHash(userHash(command), lanes);
}

/** The same, of the user's hash. */
export function laneOfHash(user: number, lanes: number): number {
  return user % lanes;
}

/** Unsigned, of 32 bits; users may share one. */
export function userHash({ projectId, user }: Pick<Command, 'projectId' | 'user'>): number {
  return hash('sha256', `${projectId} ${user}`, 'buffer').readUInt32BE(0);
}

/** Each user of the commands once. */
export function distinctUsers(commands: readonly Command[]): { projectId: string; externalId: string }[] {
  const users = new Map<string, { projectId: string; externalId: string }>();
  for (const { projectId, user } of commands) users.set(`${projectId} ${user}`, { projectId, externalId: user });
  return [...users.values()];
}
