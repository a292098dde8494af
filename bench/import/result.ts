/** An import of events, beside the same final rows brought in by COPY. */
export interface ImportResult {
  rows: number;
  /** Rows a second: from the first message to the last row applied, and the final rows by COPY, as rows of the import. */
  perSecond: number;
  copyPerSecond: number;
  ratio: number;
  /** How many final rows COPY brought in, by table. */
  finalRows: Record<string, number>;
  /** Events a second that were sent beside an import, and before it. */
  beside: number;
  /** Milliseconds; of these, while nothing else happened and while an import ran. */
  p50Idle: number;
  p50During: number;
  p99Idle: number;
  p99During: number;
  p99Ratio: number;
  /** Bytes; the highest of the API process and of the worker during imports. */
  apiRss: number;
  apiHeap: number;
  workerRss: number;
  workerHeap: number;
}
