import DataLoader from 'dataloader';
import type { Context } from '../context.ts';
import { awardsOf, type StoredAward, type UserBalance, userBalances } from '../ledger/balance.ts';
import { findUserBoosts, type LivedBoost } from '../ledger/boosts.ts';
import { applicable } from '../rules/boost.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { Boost, System } from '../rules/types.ts';
import type { Call } from './call.ts';
import { currentProgram, systemOf, userUnknown } from './lookup.ts';

/** A user in one points system. */
export interface Standing {
  system: System;
  user: UserBalance;
  awards: readonly StoredAward[];
  /** Those that apply to awards now. */
  boosts: readonly Boost[];
}

/** Whose standing is asked for, and with how many awards in each points system. */
export interface AskedUser {
  userId: string;
  awards: number;
}

/** How a user stands in a points system of the program in force; NOT_FOUND for one that nobody knows. */
export async function standingIn(
  call: Call,
  user: AskedUser,
  systemKey: string,
): Promise<{ index: ProgramIndex; standing: Standing }> {
  const { index, standings } = await standingsIn(call, user, ({ systemByKey }) => {
    const system = systemByKey.get(systemKey);
    return system === undefined ? [] : [system];
  });
  systemOf(index, systemKey);
  return { index, standing: standings[0] as Standing };
}

/**
 * The same for the points systems that are chosen from the program. Asked are first those of the program that was in force
 * last, so that all can be read in one go; where another one is in force by now, they are chosen anew.
 */
export async function standingsIn(
  call: Call,
  { userId, awards }: AskedUser,
  choose: (index: ProgramIndex) => readonly System[],
): Promise<{ index: ProgramIndex; standings: Standing[] }> {
  const { api, projectId, receivedAt } = call;
  const read = async (index: ProgramIndex) => {
    const systems = choose(index);
    const systemIds = systems.map(({ id }) => id);
    return { systems, found: await api.read({ projectId, externalId: userId, systemIds, awards }) };
  };
  let index = api.context.programs.last(projectId) ?? (await currentProgram(call));
  let { systems, found } = await read(index);
  if (found.index !== index) {
    index = found.index;
    ({ systems, found } = await read(index));
  }
  const standings = systems.map((system, place): Standing => {
    const user = found.balances[place];
    if (user === undefined) throw userUnknown(userId);
    const boosts = [...system.boosts, ...found.boosts.filter((boost) => boost.systemId === system.id)];
    return {
      system,
      user,
      awards: found.awards[place] ?? [],
      boosts: applicable(boosts, user, receivedAt, index.program.timeZone),
    };
  });
  return { index, standings };
}

interface Asked {
  projectId: string;
  externalId: string;
  systemIds: readonly string[];
  awards: number;
}

interface Reading {
  /** The program in force. */
  index: ProgramIndex;
  /** By place of the points system, as are awards; undefined: no user of the project has this id. */
  balances: readonly (UserBalance | undefined)[];
  awards: readonly StoredAward[][];
  /** Those made for this user alone, in all points systems. */
  boosts: readonly LivedBoost[];
}

export type Read = (asked: Asked) => Promise<Reading>;

/** Users that are read together at most. With many, all callers wait for one connection, then it waits for all of them. */
const TOGETHER_MAX = 8;
/** Awards of one user that others do not wait for. */
const AWARDS_MAX = 100;

/**
 * Reads what is stored of users. Those that are asked for in one turn of the event loop are read together: statements about
 * many cost little more than statements about one. Nothing is kept.
 */
export function createRead(context: Context): Read {
  const together = new DataLoader((asked: readonly Asked[]) => readEach(context, asked), {
    cache: false,
    maxBatchSize: TOGETHER_MAX,
    batchScheduleFn: (read) => setImmediate(read),
  });
  return (asked) =>
    asked.systemIds.length * asked.awards > AWARDS_MAX ? readOne(context, asked) : together.load(asked);
}

/** Where one cannot be read, each is read by itself, so that this concerns no other. */
async function readEach(context: Context, asked: readonly Asked[]): Promise<(Reading | Error)[]> {
  try {
    return await readTogether(context, asked);
  } catch (error) {
    if (asked.length === 1) throw error;
    return Promise.all(asked.map((one) => readOne(context, one).catch((failure: Error) => failure)));
  }
}

async function readOne(context: Context, asked: Asked): Promise<Reading> {
  const [reading] = await readTogether(context, [asked]);
  return reading as Reading;
}

/** All on one connection: statements that need nothing of each other go to the server together. */
async function readTogether({ pool, programs }: Context, asked: readonly Asked[]): Promise<Reading[]> {
  const accounts = asked.flatMap(({ systemIds, ...user }) => systemIds.map((systemId) => ({ ...user, systemId })));
  const users = new Map(asked.map((user) => [nameOf(user), user]));
  const client = await pool.connect();
  const reads = [
    programs.current(client, [...new Set(asked.map(({ projectId }) => projectId))]),
    userBalances(client, accounts),
    awardsOf(client, accounts),
    findUserBoosts(client, [...users.values()]),
  ] as const;
  try {
    const [current, balances, awards, boosts] = await Promise.all(reads);
    let end = 0;
    return asked.map((one) => {
      const start = end;
      end += one.systemIds.length;
      return {
        index: current.get(one.projectId) as ProgramIndex,
        balances: balances.slice(start, end),
        awards: awards.slice(start, end),
        boosts: boosts.get(nameOf(one)) ?? [],
      };
    });
  } finally {
    await Promise.allSettled(reads);
    client.release();
  }
}

function nameOf({ projectId, externalId }: Asked): string {
  return `${projectId} ${externalId}`;
}
