import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { v7 } from 'uuid';
import { applyEconomy, exportEconomy, type Plan, planEconomy } from '../commands/change-economy.ts';
import type { Config } from '../config.ts';
import { migrate, type Orm, openOrm } from '../db/orm.ts';
import type { Change } from '../program/diff.ts';
import type { Economy } from '../program/economy.ts';
import { readEconomy } from '../program/read.ts';
import { writeEconomy } from '../program/write.ts';
import { firstProject } from '../setup/bootstrap.ts';
import { withDatabase } from './database.ts';

export interface EconomyOptions {
  project?: string;
  allowStranding?: boolean;
  expect?: string;
}

/** Prints what applying the file would change. */
export async function planCommand(config: Config, file: string, options: EconomyOptions): Promise<void> {
  const economy = await readFileOrFail(file);
  await onProject(config, options, async (orm, projectId) => {
    say(review(await planEconomy(orm, projectId, economy)));
  });
}

/** Makes the file the economy in force. */
export async function applyCommand(config: Config, file: string, options: EconomyOptions): Promise<void> {
  const economy = await readFileOrFail(file);
  await onProject(config, options, async (orm, projectId) => {
    const author = { projectId, actor: `cli:${userInfo().username}`, now: Date.now(), uuid: () => v7() };
    const expectedVersion = options.expect === undefined ? undefined : Number(options.expect);
    const allowStranding = options.allowStranding ?? false;
    const applied = await applyEconomy(orm, author, economy, { expectedVersion, allowStranding });
    if (applied.outcome === 'moved_on') {
      throw new Error(`not applied: the program in force is number ${applied.version} by now; plan again`);
    }
    say(review(applied));
    if (applied.outcome === 'strands')
      throw new Error('not applied: it strands data; --allow-stranding does it anyway');
    if (applied.changes.length > 0) say(`applied: program ${applied.version} is in force`);
  });
}

/** Writes the economy in force to standard output. */
export async function exportCommand(config: Config, options: EconomyOptions): Promise<void> {
  await onProject(config, options, async (orm, projectId) => {
    process.stdout.write(writeEconomy((await exportEconomy(orm, projectId)).economy));
  });
}

async function readFileOrFail(file: string): Promise<Economy> {
  const { economy, problems } = readEconomy(await readFile(file, 'utf8'));
  if (economy !== undefined) return economy;
  const lines = problems.map(({ path, message }) => `  ${path === '' ? '' : `${path}: `}${message}`);
  throw new Error(`${file} is not an economy:\n${lines.join('\n')}`);
}

async function onProject(
  config: Config,
  options: EconomyOptions,
  work: (orm: Orm, projectId: string) => Promise<void>,
): Promise<void> {
  await withDatabase(config, async (url) => {
    await migrate(config.migrateDatabaseUrl ?? url);
    const orm = await openOrm(url);
    try {
      const project = await firstProject(orm.em.fork(), options.project);
      if (project === undefined) throw new Error(`there is no project ${options.project ?? 'yet: start Guerdon once'}`);
      await work(orm, project.id);
    } finally {
      await orm.close(true);
    }
  });
}

const SIGNS = { create: '+', update: '~', archive: '-' } as const;

/** The plan as a person reviews it: one line a thing, one a field that changes. */
export function review({ version, changes, stranded }: Plan): string {
  if (changes.length === 0) return `no changes: program ${version} is what the file says`;
  const lines = changes.flatMap((change) => [heading(change), ...fieldLines(change)]);
  const lost = stranded.map(({ kind, key, what }) => `! ${kind.replace('_', ' ')} ${key}: ${what}`);
  return [...lines, ...lost].join('\n');
}

function heading({ action, kind, key }: Change): string {
  return `${SIGNS[action]} ${kind.replace('_', ' ')} ${key}`.trimEnd();
}

function fieldLines({ action, fields }: Change): string[] {
  if (action === 'archive') return [];
  return fields
    .filter(({ after }) => action === 'update' || !isEmpty(after))
    .map(({ field, before, after }) =>
      action === 'update' ? `    ${field}: ${show(before)} → ${show(after)}` : `    ${field}: ${show(after)}`,
    );
}

function isEmpty(value: Change['fields'][number]['after']): boolean {
  return value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

function show(value: Change['fields'][number]['after']): string {
  return value === null ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
