import { create, type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '../gen/grpc/reflection/v1/reflection_pb.ts';

const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;

/** Answers a reflection request about these services; v1alpha has the same messages. */
export function reflect(services: readonly DescService[], request: ServerReflectionRequest): ServerReflectionResponse {
  return create(ServerReflectionResponseSchema, {
    validHost: request.host,
    originalRequest: request,
    messageResponse: answer(services, request.messageRequest),
  });
}

function answer(
  services: readonly DescService[],
  asked: ServerReflectionRequest['messageRequest'],
): ServerReflectionResponse['messageResponse'] {
  switch (asked.case) {
    case 'listServices':
      return {
        case: 'listServicesResponse',
        value: { service: services.map(({ typeName }) => ({ name: typeName })) } as never,
      };
    case 'fileByFilename':
      return fileAnswer(allFiles(services).find((file) => `${file.name}.proto` === asked.value));
    case 'fileContainingSymbol':
      return fileAnswer(allFiles(services).find((file) => declares(file, asked.value)));
    default:
      return {
        case: 'errorResponse',
        value: { errorCode: UNIMPLEMENTED, errorMessage: `${asked.case ?? 'empty request'} is not offered` } as never,
      };
  }
}

function fileAnswer(file: DescFile | undefined): ServerReflectionResponse['messageResponse'] {
  if (file === undefined) {
    return { case: 'errorResponse', value: { errorCode: NOT_FOUND, errorMessage: 'not found' } as never };
  }
  const fileDescriptorProto = closure([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } as never };
}

function allFiles(services: readonly DescService[]): DescFile[] {
  return closure(services.map(({ file }) => file));
}

/** The files and all they import, each once. */
function closure(files: readonly DescFile[]): DescFile[] {
  const seen = new Set<DescFile>();
  const visit = (file: DescFile): void => {
    if (seen.has(file)) return;
    seen.add(file);
    file.dependencies.forEach(visit);
  };
  files.forEach(visit);
  return [...seen];
}

function declares(file: DescFile, symbol: string): boolean {
  const types = [...file.messages, ...file.enums, ...file.services, ...file.extensions];
  return types.some(({ typeName }) => symbol === typeName || symbol.startsWith(`${typeName}.`));
}
