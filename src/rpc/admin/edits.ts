import type { FieldMask } from '@bufbuild/protobuf/wkt';
import { editEconomy } from '../../commands/edit-economy.ts';
import { type AttributeFilter, TriggerStatus } from '../../gen/guerdon/v1/types_pb.ts';
import { type ItemProblem, repeatedKeys } from '../../program/boost.ts';
import { type Edit, type EditKind, typesOf } from '../../program/edit.ts';
import { formatDecimal, parseDecimal } from '../../rules/decimal.ts';
import { authorOf, type Call } from '../call.ts';
import { inside, issueMessages, takeItems } from '../items.ts';
import { type MaskField, maskedFields } from '../mask.ts';
import { snake } from '../text.ts';

/** The fields of a noun that can be set, by their names in the proto; what they say, by its name in the economy. */
export type NounFields<I> = Readonly<Record<string, MaskField<I, Readonly<Record<string, unknown>>>>>;

/** One field that is the same in the proto and in the economy. */
export function field<I>(
  name: keyof I & string,
  read: (input: I) => unknown,
  cleared: unknown,
): MaskField<I, Record<string, unknown>> {
  return {
    isPresent: (input) => input[name] !== undefined,
    read: (input) => ({ [name]: input[name] === undefined ? cleared : read(input) }),
  };
}

export function statusField<I extends { status: TriggerStatus }>(): MaskField<I, Record<string, unknown>> {
  return {
    isPresent: ({ status }) => status !== TriggerStatus.UNSPECIFIED,
    read: ({ status }) => ({ status: status === TriggerStatus.INACTIVE ? 'inactive' : 'active' }),
  };
}

export function filtersField<I extends { userAttributes: AttributeFilter[] }>(): MaskField<I, Record<string, unknown>> {
  return {
    isPresent: ({ userAttributes }) => userAttributes.length > 0,
    read: ({ userAttributes }) => ({ userAttributes: filterRecord(userAttributes) }),
  };
}

/** Where in the economy a thing is. */
export interface Place {
  kind: EditKind;
  system: string | null;
}

export type Asked = { edit: Edit; problems: readonly ItemProblem[] };

export function creation<I extends { key: string }>(place: Place, fields: NounFields<I>, input: I): Asked {
  return asked('create', place, fields, input, undefined);
}

export function change<I extends { key: string }>(
  place: Place,
  fields: NounFields<I>,
  input: I,
  mask: FieldMask | undefined,
): Asked {
  return asked('update', place, fields, input, mask);
}

export function archival(place: Place, key: string): Asked {
  return { edit: { action: 'archive', ...place, key, fields: {} }, problems: [] };
}

function asked<I extends { key: string }>(
  action: Edit['action'],
  place: Place,
  known: NounFields<I>,
  input: I,
  mask: FieldMask | undefined,
): Asked {
  const read = maskedFields<I, Record<string, unknown>>(known, input, mask);
  const { position, ...fields } = read.fields;
  const edit = { action, ...place, key: input.key, fields, position: position as number | undefined };
  return { edit, problems: read.problems };
}

/** The same with the type of a thing whose fields of one type are a oneof: the type that the mask names, or that is given. */
export function withType(asked: Asked, given: string | undefined, mask?: FieldMask): Asked {
  const { edit } = asked;
  const paths = mask?.paths ?? [];
  const named = paths.length > 0 ? paths.map((path) => snake(path).split('.')[0]) : [snake(given ?? '')];
  const type = typesOf(edit.kind).find((name) => named.includes(name));
  return type === undefined ? asked : { ...asked, edit: { ...edit, fields: { ...edit.fields, type } } };
}

/** The same with what is wrong with lists, by their fields: of items by the same key only the last would be left. */
export function withLists(asked: Asked, lists: Readonly<Record<string, readonly { key: string }[]>>): Asked {
  const problems = Object.entries(lists).flatMap(([name, items]) =>
    repeatedKeys(items).map((key) => ({ field: name, message: `${JSON.stringify(key)} stands there twice` })),
  );
  return { ...asked, problems: [...asked.problems, ...problems] };
}

/**
 * Makes the edits that the items of a request ask for; `done` are those that were made. `within`: the field of an item
 * that describes the thing, where the item is not the thing itself. `names`: those of fields that the proto calls otherwise
 * than the economy.
 */
export async function edited<T>(
  call: Call,
  list: readonly T[],
  ask: (item: T) => Asked,
  {
    allowStranding = false,
    within,
    names = {},
  }: { allowStranding?: boolean; within?: string; names?: Readonly<Record<string, string>> } = {},
) {
  const { items, issues } = takeItems(call, list);
  const edits = items.flatMap(({ index, value }) => {
    const { edit, problems } = ask(value);
    return issues.errors(index, problems) ? [] : [{ index, value: edit }];
  });
  const { done, economy, ...more } = await editEconomy(call.api.context.orm, authorOf(call), edits, { allowStranding });
  const named = more.issues.map((issue) => ({ ...issue, field: renamed(issue.field, names) }));
  return {
    done: done.map(({ value }) => value),
    economy,
    issues: issueMessages([...issues.all, ...(within === undefined ? named : inside(within, named))]),
  };
}

function renamed(field: string, names: Readonly<Record<string, string>>): string {
  const [name = '', ...rest] = field.split('.');
  return [names[name] ?? name, ...rest].join('.');
}

export function decimalText(decimal: string): string {
  return formatDecimal(parseDecimal(decimal));
}

export function filterRecord(filters: readonly AttributeFilter[]): Record<string, string> {
  return Object.fromEntries(filters.map(({ key, value }) => [key, value]));
}
