import { Migration } from '@mikro-orm/migrations';

/** Rows of an import are applied user by user, and listed line by line. */
export class Migration015ImportPlaces extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  // In the order in which others take them: what holds one of the tables would else wait for the other for ever.
  'lock table import_parts, import_rows in access exclusive mode',

  'alter table import_parts rename column last_line to last_place',
  'alter table import_parts rename column through_line to through_place',
  'alter table import_parts rename constraint import_parts_lines to import_parts_places',
  `comment on table import_parts is 'Rows whose users share a lane; of a dry run, finer parts of the users'`,

  'alter table import_rows add column place bigint',
  // Those that are there keep the order in which they are being applied.
  'alter table import_rows alter column place type bigint using line',
  'alter table import_rows alter column place set not null',
  `comment on column import_rows.place is
    'The order in which rows of a part are applied: by a hash of the user, then by line'`,
  'alter table import_rows drop constraint import_rows_pkey',
  'alter table import_rows add primary key (import_id, line)',
  'alter table import_rows add constraint import_rows_place_unique unique (import_id, part, place)',

  `comment on table import_outcomes is 'Of rows that were not applied; a row up to through_place of its part without one was'`,
];
