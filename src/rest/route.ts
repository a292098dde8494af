import type { DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { Item } from '../commands/judge.ts';
import type { Call, Route } from '../rpc/call.ts';
import { perform } from '../rpc/invoke.ts';
import { routes } from '../rpc/routes.ts';

/** A call of the REST surface; numbers in its body are decimal texts. */
export interface RestCall<B = never> {
  call: Call;
  /** Decoded, by the names in the pattern. */
  path: Readonly<Record<string, string>>;
  query: Readonly<Record<string, unknown>>;
  idempotencyKey: string | undefined;
  body: B;
  /** The body as JSON.parse gives it, for parts that are still to be checked. */
  plain: unknown;
  /** Of a route that takes a file. */
  upload: Upload | undefined;
}

/** A body that is read as it arrives. */
export interface Upload {
  /** Its media type, without parameters. */
  type: string;
  bytes: AsyncIterable<Uint8Array>;
}

/** The body of a route that judges the items of a list one by one. */
export interface Items<T> {
  items: readonly Item<T>[];
  issues: AdminIssue[];
}

/** What is wrong, or strange, with one item. */
export interface AdminIssue {
  severity: 'error' | 'warning';
  message: string;
  index?: number;
  id?: string;
}

export interface Answer {
  /** Absent: the first of the route's. */
  status?: number;
  /** Absent: none. */
  body?: unknown;
}

/** Which keys may call: none needed, admins, any key, or besides admins the key of the user in path or body. */
export type RestAccess = 'open' | 'admin' | 'project' | 'user';

/** A row of the table: dispatch, checks and the OpenAPI document follow from it. */
export interface RestRoute {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With names in braces. */
  path: string;
  /** Name of the operation. */
  id: string;
  summary: string;
  access: RestAccess;
  query?: Readonly<Record<string, Param>>;
  /** Takes the header Idempotency-Key. */
  idempotent?: true;
  body?: Body;
  /** Takes a file of one of these media types in the place of a body. */
  upload?: readonly string[];
  /** Schema of the body by status; null: no body. */
  success: Readonly<Record<number, string | null>>;
  handle(call: RestCall): Promise<Answer>;
}

export interface Param {
  schema: object;
  required?: true;
  /** Of a list: names that may stand more than once, or separated by commas. */
  list?: true;
}

export interface Body {
  /** Name of a schema; with `items`, that of each item of a list. */
  schema: string;
  /** How many items there may be; each is judged by itself. */
  items?: readonly [min: number, max: number];
}

const byMethod = new Map<DescMethodUnary, Route>(routes.map((route) => [route.method, route]));

/** Makes the call of an RPC, with its checks, for the caller who is here. */
export async function rpc<M extends DescMethodUnary>(
  call: Call,
  method: M,
  request: MessageInitShape<M['input']>,
): Promise<MessageShape<M['output']>> {
  const route = byMethod.get(method) as Route;
  return (await perform(call, route, create(method.input, request as never))) as MessageShape<M['output']>;
}
