import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { UserCommand } from '../../commands/command.ts';
import type { Outcome } from '../../commands/outcome.ts';
import { invalid } from '../../errors.ts';
import type { UserInput } from '../../gen/guerdon/v1/types_pb.ts';
import { findUser, type KnownUser } from '../../ledger/users.ts';
import { zoneAt } from '../../rules/zone.ts';
import type { Call } from '../call.ts';
import { userUnknown } from '../lookup.ts';
import { appliedOr } from '../send-event.ts';
import { profileOf, undeclared, userViolations } from '../user-input.ts';

/** Sends a user on the way and answers after the commit, with the user as stored then. */
export async function userAnswer(call: Call, mode: UserCommand['mode'], user: UserInput) {
  const { context, ingest } = call.api;
  const violations = [...userViolations(user), ...(await undeclaredIn(call, user))];
  if (violations.length > 0) throw invalid(violations);
  const command: UserCommand = {
    kind: 'user',
    mode,
    id: context.uuid(),
    projectId: call.projectId,
    user: user.id,
    profile: profileOf(user),
    receivedAt: call.receivedAt,
  };
  const [outcome] = ingest.submit([command], call.deadline) as [Promise<Outcome>];
  const { created } = appliedOr(await outcome, 'user');
  return { user: await storedUser(call, user.id), created };
}

/** An attribute that another process has just declared may not be in the catalog yet. */
export async function undeclaredIn(call: Call, user: UserInput) {
  const { catalog } = call.api.context;
  const check = (declared: ReadonlySet<string>) =>
    undeclared('user.attributes', user.attributes, declared, 'a user attribute');
  const violations = check((await catalog.get(call.projectId)).userAttributes);
  return violations.length === 0 ? [] : check((await catalog.fresh(call.projectId)).userAttributes);
}

export async function storedUser(call: Call, id: string) {
  const found = await findUser(call.api.context.pool, call.projectId, id);
  if (found === undefined) throw userUnknown(id);
  return userMessage(found, call.receivedAt);
}

export function userMessage(user: KnownUser, now: number) {
  return {
    id: user.externalId,
    name: user.name ?? '',
    email: user.email ?? '',
    tz: zoneAt(user.zones, now) ?? '',
    attributes: { ...user.attributes },
    deviceTokens: [...(user.deviceTokens ?? [])],
    createdAt: timestampFromMs(user.createdAt),
    updatedAt: timestampFromMs(user.updatedAt),
  };
}
