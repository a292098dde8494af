import type { DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { Context } from '../context.ts';
import type { Ingest } from '../queue/ingest.ts';

/** What the API needs of its process. */
export interface Api {
  context: Context;
  ingest: Ingest;
}

/** Who calls, and for how long it waits. */
export interface Call {
  api: Api;
  projectId: string;
  /** Epoch milliseconds when the message arrived. */
  receivedAt: number;
  /** Epoch milliseconds after which nobody waits for the answer. */
  deadline: number;
}

/** One RPC, the same for every transport. */
export interface Route<M extends DescMethodUnary = DescMethodUnary> {
  method: M;
  /** Null: the handler checks its input itself, faster than the rules of the proto can be evaluated. */
  validate: 'proto' | null;
  handle(call: Call, request: MessageShape<M['input']>): Promise<MessageInitShape<M['output']>>;
}

/** A route whose input is checked by the rules in the proto before it is handled. */
export function route<M extends DescMethodUnary>(method: M, handle: Route<M>['handle']): Route {
  return { method, validate: 'proto', handle } as unknown as Route;
}

/** A route that checks its input itself. */
export function selfCheckedRoute<M extends DescMethodUnary>(method: M, handle: Route<M>['handle']): Route {
  return { method, validate: null, handle } as unknown as Route;
}
