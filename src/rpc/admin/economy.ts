import {
  applyEconomy as apply,
  exportEconomy as exported,
  type Plan,
  planEconomy as plan,
} from '../../commands/change-economy.ts';
import { GuerdonError, invalid } from '../../errors.ts';
import { AdminService } from '../../gen/guerdon/v1/admin_service_pb.ts';
import type { Economy } from '../../program/economy.ts';
import { readEconomy } from '../../program/read.ts';
import { writeEconomy } from '../../program/write.ts';
import { authorOf, route } from '../call.ts';
import { changeMessage } from './change-message.ts';

export const exportEconomy = route(AdminService.method.exportEconomy, 'admin', async (call) => {
  const { economy, version } = await exported(call.api.context.orm, call.projectId);
  return { file: writeEconomy(economy), programVersion: BigInt(version) };
});

export const planEconomy = route(AdminService.method.planEconomy, 'admin', async (call, { file }) =>
  planMessage(await plan(call.api.context.orm, call.projectId, economyIn(file))),
);

export const applyEconomy = route(AdminService.method.applyEconomy, 'admin', async (call, request) => {
  const { allowStranding, expectedProgramVersion } = request;
  const expectedVersion = expectedProgramVersion === undefined ? undefined : Number(expectedProgramVersion);
  const options = { expectedVersion, allowStranding };
  const applied = await apply(call.api.context.orm, authorOf(call), economyIn(request.file), options);
  if (applied.outcome === 'moved_on') {
    const message = `expected_program_version: number ${applied.version} is in force by now; plan again`;
    throw new GuerdonError('ABORTED', 'PROGRAM_MOVED_ON', message);
  }
  if (applied.outcome === 'strands') {
    const lost = applied.stranded.map(({ kind, key, what }) => `${kind.replace('_', ' ')} ${key}: ${what}`).join('; ');
    throw new GuerdonError('FAILED_PRECONDITION', 'DATA_STRANDED', `${lost}; allow_stranding applies it all the same`);
  }
  return planMessage(applied);
});

function economyIn(file: string): Economy {
  const { economy, problems } = readEconomy(file);
  if (economy !== undefined) return economy;
  throw invalid(
    problems.map(({ path, message }) => ({ field: path === '' ? 'file' : `file.${path}`, description: message })),
  );
}

function planMessage({ changes, stranded, version }: Plan) {
  return {
    changes: changes.map(changeMessage),
    stranded: stranded.map((item) => ({ ...item })),
    programVersion: BigInt(version),
  };
}
