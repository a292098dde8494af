import {
  create,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { EventService, type SendEventResponse } from '../gen/guerdon/v1/event_service_pb.ts';
import { type GetUserPointsResponse, PointsService } from '../gen/guerdon/v1/points_service_pb.ts';

const DEADLINE_MS = 30_000;
const ATTEMPTS_MAX = 20;
const PAUSE_MS = 250;
/** Failures that may pass; the same idempotency key makes it safe to send again. */
const PASSING = new Set<number>([
  grpc.status.UNAVAILABLE,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.RESOURCE_EXHAUSTED,
]);

/** A plain gRPC client of the two calls that the demo makes. */
export class DemoClient {
  readonly #client: grpc.Client;
  readonly #metadata = new grpc.Metadata();

  constructor(address: string, key: string) {
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure());
    this.#metadata.set('x-api-key', key);
  }

  sendEvent(event: MessageInitShape<typeof EventService.method.sendEvent.input>): Promise<SendEventResponse> {
    return this.#call(EventService.method.sendEvent, event);
  }

  getUserPoints(of: MessageInitShape<typeof PointsService.method.getUserPoints.input>): Promise<GetUserPointsResponse> {
    return this.#call(PointsService.method.getUserPoints, of);
  }

  close(): void {
    this.#client.close();
  }

  async #call<M extends DescMethodUnary>(
    method: M,
    init: MessageInitShape<M['input']>,
  ): Promise<MessageShape<M['output']>> {
    const request = create(method.input, init as never) as MessageShape<M['input']>;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(method, request);
      } catch (error) {
        if (!PASSING.has((error as grpc.ServiceError).code) || attempt === ATTEMPTS_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  #once<M extends DescMethodUnary>(method: M, request: MessageShape<M['input']>): Promise<MessageShape<M['output']>> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<MessageShape<M['input']>, MessageShape<M['output']>>(
        `/${method.parent.typeName}/${method.name}`,
        (message) => Buffer.from(toBinary(method.input, message as never)),
        (bytes) => fromBinary(method.output, bytes) as MessageShape<M['output']>,
        request,
        this.#metadata,
        { deadline: Date.now() + DEADLINE_MS },
        (error, answer) => (error === null ? resolve(answer as MessageShape<M['output']>) : reject(error)),
      );
    });
  }
}
