import { Migration } from '@mikro-orm/migrations';

const CHANGED = ['balance', 'earned', 'version', 'hash']
  .map((column) => `new.${column} is distinct from old.${column}`)
  .join(' or ');

/** Who changes an account is told apart before a function is called: posting changes each account that it posts to. */
export class Migration014Posting extends Migration {
  override up(): void {
    this.addSql(`
      create or replace function refuse_direct_posting() returns trigger language plpgsql as $$
      begin
        raise exception 'accounts change only by entries'
          using errcode = 'check_violation', constraint = 'accounts_follow_entries', table = 'accounts';
      end $$`);
    this.addSql(`
      create or replace trigger accounts_follow_entries_insert before insert on accounts for each row
        when (pg_trigger_depth() = 0 and new.version <> 0) execute function refuse_direct_posting()`);
    this.addSql(`
      create or replace trigger accounts_follow_entries_update before update on accounts for each row
        when (pg_trigger_depth() = 0 and (${CHANGED})) execute function refuse_direct_posting()`);
  }
}
