import { fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  EventService,
  SendEventRequestSchema,
  SendEventResponseSchema,
} from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { answer } from './answer.ts';

// The empty server: reads the message of SendEvent, does nothing, and answers with a message as long as Guerdon's. What it
// reaches is what the transport alone can do on this machine, with this load beside it.

const { method } = EventService;

const server = new grpc.Server();
server.addService(
  {
    sendEvent: {
      path: `/${EventService.typeName}/${method.sendEvent.name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (message) => Buffer.from(toBinary(SendEventRequestSchema, message)),
      requestDeserialize: (bytes) => fromBinary(SendEventRequestSchema, bytes),
      responseSerialize: (message) => Buffer.from(toBinary(SendEventResponseSchema, message)),
      responseDeserialize: (bytes) => fromBinary(SendEventResponseSchema, bytes),
    },
  } satisfies grpc.ServiceDefinition<{ sendEvent: grpc.handleUnaryCall<never, never> }> as never,
  {
    sendEvent: ((_, callback) => callback(null, answer())) as grpc.handleUnaryCall<unknown, unknown>,
  },
);
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`ready ${JSON.stringify({ 0: port })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
