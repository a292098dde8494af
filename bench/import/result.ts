/** An import of events, beside the same final rows brought in by COPY. */
export interface ImportResult {
  rows: number;
  /** Rows a second: from the first message to the last row applied, and the final rows by COPY, as rows of the import. */
  perSecond: number;
  copyPerSecond: number;
  ratio: number;
  /** How many final rows there were, by table. */
  finalRows: Record<string, number>;
  /** Milliseconds; SendEvent at a low rate, while nothing else happens and while the import runs. */
  p99Idle: number;
  p99During: number;
  p99Ratio: number;
  /** Bytes; the highest of the API process and of the worker during the import. */
  apiRss: number;
  apiHeap: number;
  workerRss: number;
}
