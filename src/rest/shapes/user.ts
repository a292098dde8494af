import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { invalid } from '../../errors.ts';
import type { UserInputSchema } from '../../gen/guerdon/v1/types_pb.ts';
import type { User } from '../../gen/guerdon/v1/user_service_pb.ts';

/** `UpdatedUser` of the contract. */
export interface UserFields {
  email?: string;
  name?: string;
  tz?: string | null;
  deviceTokens?: string[] | null;
  subscribeToEmails?: boolean;
  attributes?: Record<string, string>;
}

export type UpsertedUser = UserFields & { id: string };

/** A user as the core takes one. Who does not subscribe has no address. */
export function userInput({ id, ...fields }: UpsertedUser): MessageInitShape<typeof UserInputSchema> {
  const { email, name, tz, deviceTokens, subscribeToEmails, attributes = {} } = fields;
  const address = subscribeToEmails === false ? '' : email;
  return {
    id,
    ...(name !== undefined && { name }),
    ...(address !== undefined && { email: address }),
    ...(tz != null && { tz }),
    attributes,
    ...(deviceTokens !== undefined && { deviceTokens: { tokens: deviceTokens ?? [] } }),
  };
}

/** Throws where somebody is to get mail without an address; `known`: the one that is stored. */
export function checkSubscription({ subscribeToEmails, email }: UserFields, known: string, path = ''): void {
  if (subscribeToEmails !== true || (email ?? known) !== '') return;
  throw invalid([{ field: `${path}email`, description: 'must be given where subscribeToEmails is true' }]);
}

export function userShape(user: User) {
  const { id, email, name, tz, attributes, deviceTokens, createdAt, updatedAt } = user;
  return {
    id,
    email: email === '' ? null : email,
    name: name === '' ? null : name,
    tz: tz === '' ? null : tz,
    deviceTokens: deviceTokens.length === 0 ? null : deviceTokens,
    subscribeToEmails: email !== '',
    attributes,
    control: false,
    created: createdAt === undefined ? null : timestampDate(createdAt).toISOString(),
    updated: updatedAt === undefined ? null : timestampDate(updatedAt).toISOString(),
  };
}
