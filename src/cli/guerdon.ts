#!/usr/bin/env node
import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { economySchema } from '../program/schema.ts';
import { applyCommand, type EconomyOptions, exportCommand, planCommand } from './economy.ts';
import { type ImportEventsOptions, importEventsCommand } from './import-events.ts';
import { type ImportOptions, importCommand } from './import-users.ts';
import { keyCommand } from './key.ts';
import { verifyCommand } from './verify.ts';
import { whyCommand } from './why.ts';

const program = new Command('guerdon').description('Looks after a Guerdon deployment.');

program
  .command('plan <file>')
  .description('show what applying an economy file would change')
  .option('--project <key>', 'project; default: the first one')
  .action((file: string, options: EconomyOptions) => planCommand(readConfig(process.env), file, options));

program
  .command('apply <file>')
  .description('make an economy file the program in force, in one transaction')
  .option('--project <key>', 'project; default: the first one')
  .option('--expect <number>', 'refuse when the program in force is not this number')
  .option('--allow-stranding', 'also when something stored is put out of reach')
  .action((file: string, options: EconomyOptions) => applyCommand(readConfig(process.env), file, options));

program
  .command('export')
  .description('write the economy in force as a file to standard output')
  .option('--project <key>', 'project; default: the first one')
  .action((options: EconomyOptions) => exportCommand(readConfig(process.env), options));

program
  .command('schema')
  .description('write the JSON Schema of economy files to standard output')
  .action(() => void process.stdout.write(`${JSON.stringify(economySchema, null, 2)}\n`));

program
  .command('key')
  .description('mint another admin key and print it')
  .option('--project <key>', 'project it is for; default: the first one')
  .option('--owner', 'an owner key, which looks after the projects too')
  .action((options: { project?: string; owner?: boolean }) => keyCommand(readConfig(process.env), options));

program
  .command('import-users <file>')
  .description('make users known with what they have elsewhere, from CSV or NDJSON; "-" is standard input')
  .option('--project <key>', 'project; default: the first one')
  .option('--format <format>', 'csv or ndjson; default: as the name of the file ends')
  .option('--dry-run', 'tell what would be done, and do nothing')
  .option('--announce', 'tell webhooks of the points, levels and streaks that users have')
  .option('--report <file>', 'write what became of each row there, one JSON object a line')
  .action((file: string, options: ImportOptions) => importCommand(readConfig(process.env), file, options));

program
  .command('verify')
  .description('recompute every event, entry and balance, and name the first row that is wrong')
  .action(() => verifyCommand(readConfig(process.env)));

program
  .command('why <event>')
  .description('tell why an event, by its id, gave what it gave')
  .action((event: string) => whyCommand(readConfig(process.env), event));

program
  .command('import-events <file>')
  .description('import events from a file of JSON lines or comma-separated values, gzipped or not')
  .option('--server <host:port>', 'server to send to; default: the one that runs here')
  .option('--key <prefix.body>', 'admin key; default: GUERDON_ADMIN_KEY, else one is made for a server that runs here')
  .option('--format <format>', 'ndjson or csv; default: by the name of the file')
  .option('--name <name>', 'name of the import; default: that of the file')
  .option('--dry-run', 'tell what would come of it, and apply nothing')
  .option('--id <uuid>', 'go on with this import, which broke off')
  .option('--refused <path>', 'write the refused rows there, with line and reason')
  .action((file: string, options: ImportEventsOptions) => importEventsCommand(process.env, file, options));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
