import { Migration } from '@mikro-orm/migrations';

/** API keys that expire, are replaced, say when they were last used, and have rate limits. */
export class Migration008Keys extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `alter table api_keys
    add column last_used_at timestamptz(3),
    add column expires_at timestamptz(3),
    add column replaces text constraint api_keys_replaces_unique unique,
    add column rate_requests integer,
    add column rate_seconds integer,
    add constraint api_keys_replaces_another check (replaces <> prefix),
    add constraint api_keys_rate_whole check ((rate_requests is null) = (rate_seconds is null)),
    add constraint api_keys_rate_range check (
      (rate_requests = 0 and rate_seconds = 0) or
      (rate_requests between 1 and 1000000 and rate_seconds between 1 and 86400)
    )`,
  `comment on column api_keys.replaces is 'Prefix of the key that this one is the successor of'`,
  `comment on column api_keys.rate_requests is 'In a window of rate_seconds; 0: no limit; null: the default of the deployment'`,

  // Counters of windows; a crash may lose them.
  `create unlogged table rate_limits (
    key varchar(255) primary key,
    points integer not null,
    expire bigint
  )`,
  `comment on column rate_limits.expire is 'End of the window in epoch milliseconds'`,
];
