import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Outcome } from '../commands/outcome.ts';
import type { Pool } from '../db/pool.ts';
import type { Backend } from './backend.ts';

/** Where a process hears of outcomes that another process has committed. */
export interface Replies {
  /** Tells the process at `address`; a message that is lost costs its callers time, since they read by themselves. */
  publish(address: string, outcomes: readonly Reply[]): Promise<void>;
  /** Hears what is told to `address`: whole outcomes over Redis, only the ids of attempts over PostgreSQL. */
  listen(address: string, heard: { outcome(reply: Reply): void; ids(ids: readonly string[]): void }): Promise<void>;
  close(): Promise<void>;
}

export type Reply = readonly [id: string, outcome: Outcome];

const RECONNECT_MS = 500;
/** A NOTIFY carries less than 8,000 bytes: so many UUIDs with commas. */
const IDS_MAX = 200;

export function openReplies(
  backend: Backend,
  database: { pool: Pool; url: string },
  onError: (error: Error) => void,
): Replies {
  return backend.redis === undefined
    ? postgresReplies(database.pool, database.url, onError)
    : redisReplies(backend.redis);
}

function redisReplies(connect: NonNullable<Backend['redis']>): Replies {
  const publisher = connect();
  return {
    async publish(address, outcomes) {
      await publisher.publish(channelOf(address), JSON.stringify(outcomes));
    },
    async listen(address, heard) {
      const subscriber = connect();
      subscriber.on('message', (_channel, message) => {
        for (const reply of JSON.parse(message) as Reply[]) heard.outcome(reply);
      });
      await subscriber.subscribe(channelOf(address));
    },
    async close() {},
  };
}

function postgresReplies(pool: Pool, url: string, onError: (error: Error) => void): Replies {
  let closed = false;
  let listener: pg.Client | undefined;
  return {
    async publish(address, outcomes) {
      const ids = outcomes.map(([id]) => id);
      for (let at = 0; at < ids.length; at += IDS_MAX) {
        const message = ids.slice(at, at + IDS_MAX).join(',');
        await pool.query({ name: 'reply', text: 'select pg_notify($1, $2)', values: [channelOf(address), message] });
      }
    },
    async listen(address, heard) {
      const connect = async (): Promise<void> => {
        const client = new pg.Client({ connectionString: url, application_name: 'guerdon-replies', keepAlive: true });
        const lost = new Promise<void>((resolve) => {
          client.on('error', onError);
          client.on('end', () => resolve());
        });
        client.on('notification', ({ payload }) => heard.ids((payload ?? '').split(',')));
        try {
          await client.connect();
          await client.query(`listen "${channelOf(address)}"`);
        } catch (error) {
          await client.end().catch(() => {});
          throw error;
        }
        listener = client;
        void lost.then(reconnect);
      };
      const reconnect = async (): Promise<void> => {
        while (!closed) {
          try {
            return await connect();
          } catch (error) {
            onError(error as Error);
            await sleep(RECONNECT_MS);
          }
        }
      };
      await connect();
    },
    async close() {
      closed = true;
      await listener?.end();
    },
  };
}

function channelOf(address: string): string {
  return `guerdon_reply_${address}`;
}
