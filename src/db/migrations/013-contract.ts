import { Migration } from '@mikro-orm/migrations';

/** When streaks are lost, and what the published contract has besides. */
export class Migration013Contract extends Migration {
  override up(): void {
    for (const statement of [...streaks, ...fields]) this.addSql(statement);
  }
}

const streaks = [
  'alter table streak_runs add column due_at timestamptz(3), add column extended_at timestamptz(3)',
  `comment on column streak_runs.due_at is
    'When it is over, and its loss told; null: that is done, or it was over when it was written'`,
  `comment on column streak_runs.extended_at is 'When something was first done in its last period; null: it is not known'`,
  'create index streak_runs_due on streak_runs (due_at) where due_at is not null',
  'create index streak_runs_open on streak_runs (user_id) where due_at is not null',

  // What may be going on in the zone that is the last to end its days; the workers find out when each is over.
  `update streak_runs set due_at = now() from (select (now() at time zone 'UTC' - interval '12 hours')::date as day) today
    where last_period >= case frequency
      when 'daily' then day - date '1970-01-01'
      when 'weekly' then floor((day - date '1970-01-01' + 3) / 7.0)
      else extract(year from day) * 12 + extract(month from day) - 1 end - 1`,
];

const fields = [
  `alter table metrics add column unit_type text not null default 'number',
    add column units text not null default '',
    add constraint metrics_unit_type_known check (unit_type in ('number', 'currency')),
    add constraint metrics_units_length check (length(units) <= 64)`,
  'alter table users add column device_tokens jsonb',
  `comment on column users.device_tokens is 'Null: none'`,
];
