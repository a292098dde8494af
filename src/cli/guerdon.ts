#!/usr/bin/env node
import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { keyCommand } from './key.ts';
import { verifyCommand } from './verify.ts';

const program = new Command('guerdon').description('Looks after a Guerdon deployment.');

program
  .command('key')
  .description('mint another admin key and print it')
  .option('--project <key>', 'project it is for; default: the first one')
  .action((options: { project?: string }) => keyCommand(readConfig(process.env), options.project));

program
  .command('verify')
  .description('recompute every event, entry and balance, and name the first row that is wrong')
  .action(() => verifyCommand(readConfig(process.env)));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
