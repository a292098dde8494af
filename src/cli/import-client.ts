import {
  create,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { EventService } from '../gen/guerdon/v1/event_service_pb.ts';
import type { Import, ImportRow, ImportRowOutcome } from '../gen/guerdon/v1/imports_pb.ts';

type Options = MessageInitShape<typeof EventService.method.importEvents.input>;

/** A plain gRPC client of what an import from a file needs. */
export class ImportClient {
  readonly #client: grpc.Client;
  readonly #metadata = new grpc.Metadata();

  constructor(address: string, key: string) {
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure());
    this.#metadata.set('x-api-key', key);
  }

  /** Sends the parts, each once the one before has gone out, and gives the import once its rows are stored. */
  async send(parts: AsyncIterable<Options>): Promise<Import> {
    const method = EventService.method.importEvents;
    let settle: (error: Error | null, answer?: MessageShape<typeof method.output>) => void = () => {};
    const answered = new Promise<MessageShape<typeof method.output>>((resolve, reject) => {
      settle = (error, answer) => (error === null && answer !== undefined ? resolve(answer) : reject(error));
    });
    const call = this.#client.makeClientStreamRequest(
      pathOf(method),
      (part: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, part)),
      (bytes) => fromBinary(method.output, bytes),
      this.#metadata,
      (error, answer) => settle(error, answer),
    );
    const sent = (async () => {
      for await (const part of parts) {
        await new Promise<void>((resolve, reject) => {
          call.write(create(method.input, part), (error?: Error | null) => (error ? reject(error) : resolve()));
        });
      }
      call.end();
    })();
    // Where the server refuses, its answer says why, and no more parts are taken.
    sent.catch((error: Error) => call.destroy(error));
    return (await answered).import as Import;
  }

  /** How far an import is, whenever that changes, until it is finished. */
  async *watch(id: string): AsyncGenerator<Import> {
    const method = EventService.method.watchImport;
    const call = this.#client.makeServerStreamRequest(
      pathOf(method),
      (request: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, request)),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, { id }),
      this.#metadata,
    );
    for await (const answer of call) yield (answer as MessageShape<typeof method.output>).import as Import;
  }

  /** The rows with this outcome, the first page of them at most. */
  async rows(
    id: string,
    outcome: ImportRowOutcome,
    pageSize: number,
    pageToken: string,
  ): Promise<{ rows: ImportRow[]; next: string }> {
    const method = EventService.method.listImportRows;
    const answer = await new Promise<MessageShape<typeof method.output>>((resolve, reject) => {
      this.#client.makeUnaryRequest<MessageShape<typeof method.input>, MessageShape<typeof method.output>>(
        pathOf(method),
        (message) => Buffer.from(toBinary(method.input, message)),
        (bytes) => fromBinary(method.output, bytes),
        create(method.input, { id, outcome, pageSize, pageToken }),
        this.#metadata,
        (error, found) => (error === null ? resolve(found as never) : reject(error)),
      );
    });
    return { rows: answer.rows, next: answer.nextPageToken };
  }

  close(): void {
    this.#client.close();
  }
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
