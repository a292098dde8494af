// Loaded into every server before its own code (`node --import`): measures the process from within and tells the one
// who started it.

/** What a process has used since it was last asked. */
export interface Usage {
  /** Bytes; the highest of samples four times a second. */
  rss: number;
  /** Bytes of the heap in use, garbage not yet collected included. */
  heap: number;
  /** Seconds of processor time. */
  cpu: number;
}

const SAMPLE_MS = 250;

const peak = { rss: 0, heap: 0 };
let since = process.cpuUsage();

function sample(): void {
  const { rss, heapUsed } = process.memoryUsage();
  peak.rss = Math.max(peak.rss, rss);
  peak.heap = Math.max(peak.heap, heapUsed);
}

function take(): Usage {
  sample();
  const { user, system } = process.cpuUsage(since);
  since = process.cpuUsage();
  const usage = { ...peak, cpu: (user + system) / 1e6 };
  peak.rss = 0;
  peak.heap = 0;
  sample();
  return usage;
}

if (process.send !== undefined) {
  setInterval(sample, SAMPLE_MS).unref();
  process.on('message', (message) => {
    if (message === 'usage') process.send?.(take());
  });
  // Nobody is there any more who would end it.
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}
