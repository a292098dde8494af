import { GuerdonError } from '../../errors.ts';
import type { User } from '../../gen/guerdon/v1/user_service_pb.ts';
import { UserService } from '../../gen/guerdon/v1/user_service_pb.ts';
import { findUser } from '../../ledger/users.ts';
import type { Call } from '../../rpc/call.ts';
import { type Answer, type RestCall, rpc } from '../route.ts';
import { checkSubscription, type UpsertedUser, type UserFields, userInput, userShape } from '../shapes/user.ts';

export async function createUser({ call, body }: RestCall<UpsertedUser>): Promise<Answer> {
  checkSubscription(body, '');
  const { user } = await ofBody(rpc(call, UserService.method.createUser, { user: userInput(body) }));
  return { body: userShape(user as User) };
}

export async function getUser({ call, path }: RestCall): Promise<Answer> {
  const { user } = await rpc(call, UserService.method.getUser, { userId: path.id as string });
  return { body: userShape(user as User) };
}

export async function identifyUser({ call, path, body }: RestCall<UserFields>): Promise<Answer> {
  const asked = { ...body, id: path.id as string };
  checkSubscription(body, await knownAddress(call, asked));
  const { user } = await ofBody(rpc(call, UserService.method.identifyUser, { user: userInput(asked) }));
  return { body: userShape(user as User) };
}

export async function updateUser({ call, path, body }: RestCall<UserFields>): Promise<Answer> {
  const asked = { ...body, id: path.id as string };
  checkSubscription(body, await knownAddress(call, asked));
  const { user } = await ofBody(rpc(call, UserService.method.updateUser, { user: userInput(asked) }));
  return { body: userShape(user as User) };
}

/** The address that is stored of a user, where it matters; else none. */
export async function knownAddress(call: Call, { id, subscribeToEmails, email }: UpsertedUser): Promise<string> {
  if (subscribeToEmails !== true || email !== undefined) return '';
  return (await findUser(call.api.context.pool, call.projectId, id))?.email ?? '';
}

/** The body is the user: what is wrong with one is told of its own fields. */
async function ofBody<T>(done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    if (!(error instanceof GuerdonError)) throw error;
    const own = (text: string) => text.replace(/(^|; )user\.(?=[a-z])/g, '$1');
    const violations = error.violations.map(({ field, description }) => ({ field: own(field), description }));
    throw new GuerdonError(error.code, error.reason, own(error.message), { metadata: error.metadata, violations });
  }
}
