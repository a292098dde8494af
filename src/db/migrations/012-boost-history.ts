import { Migration } from '@mikro-orm/migrations';

/** What boosts of users were before they were changed: ticks are judged at their own instants, and settled later. */
export class Migration012BoostHistory extends Migration {
  override up(): void {
    this.addSql(`alter table user_boosts add column earlier jsonb not null default '[]'`);
    this.addSql(`comment on column user_boosts.earlier is
      'How it multiplied, and when, before each change of that; until: milliseconds of the change'`);
  }
}
