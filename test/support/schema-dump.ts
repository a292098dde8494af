import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Queryable } from '../../src/db/pool.ts';

/** The golden dump of the migrated schema. */
export const GOLDEN = fileURLToPath(new URL('../schema.sql', import.meta.url));

/** The public schema as readable SQL in a stable order, from the catalog: no pg_dump comes with the embedded server. */
export async function dumpSchema(db: Queryable): Promise<string> {
  const parts = [await tables(db), await functions(db), await triggers(db), await comments(db)];
  return `${parts.flat().join('\n\n')}\n`;
}

/** Writes the golden dump anew. */
export async function writeGolden(db: Queryable): Promise<void> {
  await writeFile(GOLDEN, await dumpSchema(db));
}

async function tables(db: Queryable): Promise<string[]> {
  const { rows } = await db.query(`
    select c.relname as name,
      (select array_agg(format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
          case when a.attidentity = 'a' then ' generated always as identity' else '' end,
          case when a.attnotnull then ' not null' else '' end,
          coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) order by a.attnum)
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      (select array_agg(format('constraint %I %s', n.conname, pg_get_constraintdef(n.oid)) order by n.contype desc, n.conname)
        from pg_constraint n where n.conrelid = c.oid and n.contype <> 'n') as constraints,
      (select array_agg(pg_get_indexdef(i.indexrelid) order by i.indexrelid::regclass::text)
        from pg_index i where i.indrelid = c.oid
          and not exists (select from pg_constraint n where n.conindid = i.indexrelid)) as indexes
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'migrations'
    order by c.relname`);
  return rows.map((row) => {
    const lines = [...row.columns, ...(row.constraints ?? [])].map((line) => `  ${line}`).join(',\n');
    return [
      `create table ${row.name} (\n${lines}\n);`,
      ...(row.indexes ?? []).map((index: string) => `${index};`),
    ].join('\n');
  });
}

async function functions(db: Queryable): Promise<string[]> {
  const { rows } = await db.query(`select pg_get_functiondef(oid) as text from pg_proc
    where pronamespace = 'public'::regnamespace order by proname`);
  return rows.map((row) => `${row.text.trim()};`);
}

async function triggers(db: Queryable): Promise<string[]> {
  const { rows } = await db.query(`select pg_get_triggerdef(oid) as text from pg_trigger
    where not tgisinternal and tgrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
    order by tgrelid::regclass::text, tgname`);
  return rows.map((row) => `${row.text};`);
}

async function comments(db: Queryable): Promise<string[]> {
  const { rows } =
    await db.query(`select format('comment on column %s.%I is %L', c.oid::regclass, a.attname, d.description)
      as text
    from pg_description d join pg_class c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass
    join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid
    where c.relnamespace = 'public'::regnamespace order by 1`);
  return rows.map((row) => `${row.text};`);
}
