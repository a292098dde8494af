import { Migration } from '@mikro-orm/migrations';

/** More types of triggers, and limits on what one pays. */
export class Migration004Triggers extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `create table trigger_usage (
    user_id bigint not null,
    trigger_id uuid not null,
    slot text not null,
    awards bigint not null,
    points bigint not null,
    at timestamptz(3) not null,
    primary key (user_id, trigger_id, slot),
    constraint trigger_usage_awards_positive check (awards > 0),
    constraint trigger_usage_slot_length check (length(slot) between 1 and 300)
  )`,
  `comment on table trigger_usage is
    'What a trigger with limits has paid a user: in a period, in a stretch of a cooldown, for a value of an attribute'`,
];
