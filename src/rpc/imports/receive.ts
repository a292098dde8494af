import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  type Block,
  failReceiving,
  finishReceiving,
  type MalformedRow,
  type OpenImport,
  openImport,
  type ReceivedRow,
  storeBlock,
} from '../../commands/imports/store-rows.ts';
import { GuerdonError, invalid } from '../../errors.ts';
import { authorOf, type Call } from '../call.ts';
import { linkHash, rowsOf, type Source, type SourceRow, UnreadableError } from './formats.ts';
import { judgeRows } from './judge-rows.ts';

export interface ReceiveOptions {
  /** UUID that the sender chose, by which sending goes on; undefined: one is made. */
  id: string | undefined;
  name: string;
  dryRun: boolean;
}

/** Rows that one statement stores, and the most text of them that is in memory. */
const BLOCK_ROWS = 500;
const BLOCK_CHARACTERS = 1_048_576;

/** Rows of an import that are checked, or passed over, in one turn of the event loop. */
const SLICE_ROWS = 50;
/** So long an import rests after that while somebody waits for an outcome. */
const GIVE_WAY_MS = 5;

/**
 * Stores the rows of an import as they arrive, in blocks, and gives its id once all are stored and are to be applied. No
 * more than two blocks are in memory, one that is being stored and the next, whatever arrives. Rows of an import that broke off
 * are passed over up to where it did.
 */
export async function receiveImport(call: Call, options: ReceiveOptions, source: Source): Promise<string> {
  const { context, ingest } = call.api;
  const blockRows = Math.min(BLOCK_ROWS, context.config.inFlightMax >> 3);
  const release = ingest.reserve(2 * blockRows);
  try {
    const open = await openImport(context.pool, {
      id: options.id ?? context.uuid(),
      projectId: call.projectId,
      name: options.name,
      format: source.format,
      dryRun: options.dryRun,
      actor: authorOf(call).actor,
      now: call.receivedAt,
    });
    await new Receiver(call, open, options, blockRows).receive(source);
    return open.id;
  } finally {
    release();
  }
}

class Receiver {
  readonly #call: Call;
  readonly #open: OpenImport;
  readonly #blockRows: number;
  /** That are not checked yet. */
  #slice: SourceRow[] = [];
  /** That are checked and not stored yet. */
  #rows: ReceivedRow[] = [];
  #malformed: MalformedRow[] = [];
  /** Of both. */
  #characters = 0;
  #storing: Promise<void> = Promise.resolve();
  /** Of all rows that have arrived. */
  #hash: Buffer = Buffer.alloc(32);
  #line = 0;

  constructor(call: Call, open: OpenImport, { dryRun }: ReceiveOptions, blockRows: number) {
    this.#call = call;
    this.#open = open;
    this.#blockRows = blockRows;
    if (open.projectId !== call.projectId || open.dryRun !== dryRun) throw differs();
    if (open.state === 'cancelled' || open.state === 'failed') throw finished(open.state);
  }

  async receive(source: Source): Promise<void> {
    if (source.format !== this.#open.format) throw differs();
    const { pool, now } = this.#call.api.context;
    try {
      await this.#takeRows(source);
      await this.#flush();
    } catch (error) {
      await Promise.allSettled([this.#storing]);
      if (!(error instanceof UnreadableError)) throw error;
      await failReceiving(pool, this.#open.id, error.message, now());
      throw invalid([{ field: 'data', description: error.message }]);
    }
    await this.#storing;
    if (this.#line < this.#open.lastLine) throw differs();
    if (this.#open.state !== 'receiving') return;
    if (!(await finishReceiving(pool, this.#open, now()))) throw elsewhere();
  }

  async #takeRows(source: Source): Promise<void> {
    const { lastLine, hash, state } = this.#open;
    for await (const row of rowsOf(source)) {
      if (row.line > lastLine && this.#line <= lastLine) {
        // The first row that is not stored yet: those before it must be the ones that are.
        if (this.#line !== lastLine || !this.#hash.equals(hash) || state !== 'receiving') throw differs();
      }
      this.#hash = linkHash(this.#hash, row);
      this.#line = row.line;
      if (row.line === lastLine && !this.#hash.equals(hash)) throw differs();
      if (row.line <= lastLine) {
        if (row.line % SLICE_ROWS === 0) await nextTurn();
        continue;
      }
      this.#slice.push(row);
      this.#characters += row.text.length;
      const gathered = this.#slice.length + this.#rows.length + this.#malformed.length;
      if (gathered >= this.#blockRows || this.#characters >= BLOCK_CHARACTERS) await this.#flush();
      else if (this.#slice.length >= SLICE_ROWS) await this.#check();
    }
  }

  async #check(): Promise<void> {
    const { rows, malformed } = await judgeRows(this.#call, this.#slice, this.#open.createdAt);
    this.#rows.push(...rows);
    this.#malformed.push(...malformed);
    this.#slice = [];
    await (this.#call.api.ingest.isWaitedFor ? sleep(GIVE_WAY_MS) : nextTurn());
  }

  /** Begins to store what has gathered, once what was gathered before is stored. */
  async #flush(): Promise<void> {
    if (this.#slice.length > 0) await this.#check();
    if (this.#rows.length + this.#malformed.length === 0) return;
    const block = { rows: this.#rows, malformed: this.#malformed, lastLine: this.#line, hash: this.#hash };
    this.#rows = [];
    this.#malformed = [];
    this.#characters = 0;
    await this.#storing;
    this.#storing = this.#store(block);
    this.#storing.catch(() => {});
    // All of it goes out before the next rows are read, which would keep this thread busy.
    await nextTurn();
  }

  async #store(block: Block): Promise<void> {
    const { pool, lanes, now } = this.#call.api.context;
    if (!(await storeBlock(pool, this.#open, block, { lanes, now: now() }))) throw elsewhere();
    this.#open.lastLine = block.lastLine;
    this.#open.hash = block.hash;
  }
}

function differs(): GuerdonError {
  return new GuerdonError('ALREADY_EXISTS', 'IMPORT_DIFFERS', 'import_id: was used for other rows; send a new one');
}

function elsewhere(): GuerdonError {
  const message = 'rows of the import were stored by another call, or it was cancelled; GetImport tells how it stands';
  return new GuerdonError('ABORTED', 'IMPORT_RECEIVED_ELSEWHERE', message);
}

function finished(state: string): GuerdonError {
  return new GuerdonError(
    'FAILED_PRECONDITION',
    'IMPORT_FINISHED',
    `the import has ${state === 'failed' ? 'failed' : 'been cancelled'}`,
  );
}
