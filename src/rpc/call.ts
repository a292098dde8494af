import type {
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { Author } from '../commands/next-program.ts';
import type { Context } from '../context.ts';
import { GuerdonError, type Rate, type Violation } from '../errors.ts';
import type { Ingest } from '../queue/ingest.ts';
import type { OpenStreams } from './open-streams.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Read } from './standings.ts';
import type { Watch } from './watch.ts';

/** What the API needs of its process. */
export interface Api {
  context: Context;
  ingest: Ingest;
  streams: OpenStreams;
  watch: Watch;
  limits: RateLimits;
  read: Read;
}

/** The API key of a call, and what it stands for. */
export interface Caller {
  keyId: string;
  prefix: string;
  /** An owner is an admin who looks after the projects too; an application key is for the app of one user. */
  kind: 'owner' | 'admin' | 'application';
  /** The user of an application key, by the app's own id. */
  user: string | null;
  /** How many requests it may make; null: as many as it likes. */
  limit: RateLimit | null;
}

/** At most so many requests in a window of so many seconds, which begins with the first of them. */
export interface RateLimit {
  requests: number;
  seconds: number;
}

/** Who calls, and for how long it waits. */
export interface Call {
  api: Api;
  projectId: string;
  caller: Caller;
  /** What the key may still do; null: it has no limit. */
  rate: Rate | null;
  /** Epoch milliseconds when the message arrived. */
  receivedAt: number;
  /** Epoch milliseconds after which nobody waits for the answer. */
  deadline: number;
  /** What the rules of the proto find wrong with single items of the route's list; the other items are to be taken. */
  itemViolations: readonly ItemViolation[];
}

export interface ItemViolation extends Violation {
  index: number;
}

/**
 * Which keys may call: owners only, owners and admins, any key of the project, or besides admins the application key of
 * the user that the request is about.
 */
export type Access<M extends DescMethodUnary | DescMethodServerStreaming = DescMethodUnary> =
  | 'owner'
  | 'admin'
  | 'project'
  | ((request: MessageShape<M['input']>) => readonly (string | undefined)[]);

/** One RPC, the same for every transport. */
export interface Route<M extends DescMethodUnary = DescMethodUnary> {
  method: M;
  access: Access<M>;
  /** Null: the handler checks its input itself, faster than the rules of the proto can be evaluated. */
  validate: 'proto' | null;
  /** Name of the list whose items are judged one by one, where there is one. */
  items: string | null;
  handle(call: Call, request: MessageShape<M['input']>): Promise<MessageInitShape<M['output']>>;
}

/** An RPC that goes on answering until the caller ends it, the same for every transport. */
export interface StreamRoute<M extends DescMethodServerStreaming = DescMethodServerStreaming> {
  method: M;
  access: Access<M>;
  validate: 'proto';
  items: null;
  /** Gives answers for as long as somebody takes them; `signal` tells when that is over, and by its reason why. */
  open(
    call: Call,
    request: MessageShape<M['input']>,
    signal: AbortSignal,
  ): AsyncIterable<MessageInitShape<M['output']>>;
}

export function streamRoute<M extends DescMethodServerStreaming>(
  method: M,
  access: Access<M>,
  open: StreamRoute<M>['open'],
): StreamRoute {
  return { method, access, validate: 'proto', items: null, open } as unknown as StreamRoute;
}

/** An RPC that takes messages until the caller ends them, and answers then; the same for every transport. */
export interface IntakeRoute<M extends DescMethodClientStreaming = DescMethodClientStreaming> {
  method: M;
  access: 'owner' | 'admin';
  validate: 'proto';
  items: null;
  /** Asks for the next message once it is done with the one before. The first one was checked by the rules of the proto. */
  take(call: Call, requests: AsyncIterable<MessageShape<M['input']>>): Promise<MessageInitShape<M['output']>>;
}

export function intakeRoute<M extends DescMethodClientStreaming>(
  method: M,
  access: IntakeRoute['access'],
  take: IntakeRoute<M>['take'],
): IntakeRoute {
  return { method, access, validate: 'proto', items: null, take } as unknown as IntakeRoute;
}

/** All RPCs that are served. */
export interface Served {
  routes: readonly Route[];
  streams: readonly StreamRoute[];
  intakes: readonly IntakeRoute[];
}

type Handle<M extends DescMethodUnary> = Route<M>['handle'];

/** A route whose input is checked by the rules in the proto before it is handled. */
export function route<M extends DescMethodUnary>(method: M, access: Access<M>, handle: Handle<M>): Route {
  return { method, access, validate: 'proto', items: null, handle } as unknown as Route;
}

/** A route for the items of one list: what is wrong with one of them concerns that one alone. */
export function itemRoute<M extends DescMethodUnary>(
  method: M,
  access: Access<M>,
  items: string & keyof MessageShape<M['input']>,
  handle: Handle<M>,
): Route {
  return { method, access, validate: 'proto', items, handle } as unknown as Route;
}

/** A route that checks its input itself. */
export function selfCheckedRoute<M extends DescMethodUnary>(method: M, access: Access<M>, handle: Handle<M>): Route {
  return { method, access, validate: null, items: null, handle } as unknown as Route;
}

/** Throws PERMISSION_DENIED for a key that may not make this call. */
export function authorize(
  route: Pick<Route | StreamRoute | IntakeRoute, 'access'>,
  caller: Caller,
  request: unknown,
): void {
  const { access } = route;
  if (caller.kind === 'owner' || access === 'project') return;
  if (access === 'owner') throw denied('an owner key of the deployment is needed');
  if (caller.kind === 'admin') return;
  if (access === 'admin') throw denied('an admin key is needed; this one is for the app of one user');
  if (!access(request as never).every((user) => user === caller.user)) {
    throw denied('this key is for the app of another user');
  }
}

export function denied(message: string): GuerdonError {
  return new GuerdonError('PERMISSION_DENIED', 'KEY_NOT_ALLOWED', message);
}

/** Who makes the changes of this call, for the audit log. */
export function authorOf(call: Call): Author {
  const { projectId, caller, api, receivedAt } = call;
  return { projectId, actor: `key:${caller.prefix}`, now: receivedAt, uuid: api.context.uuid };
}
