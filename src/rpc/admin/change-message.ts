import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ChangeSchema } from '../../gen/guerdon/v1/admin_service_pb.ts';
import type { Change, FieldChange } from '../../program/diff.ts';

export function changeMessage({ action, kind, key, fields }: Change): MessageInitShape<typeof ChangeSchema> {
  return {
    action,
    kind,
    key,
    fields: fields.map(({ field, before, after }) => ({
      field,
      ...(before !== null && { before: text(before) }),
      ...(after !== null && { after: text(after) }),
    })),
  };
}

function text(value: NonNullable<FieldChange['before']>): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
