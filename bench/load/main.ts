import { measure } from './measure.ts';
import type { LoadSpec } from './spec.ts';

// The load in a process of its own: takes a spec, answers with the result; "stop" ends a measurement before its time.

let stop = new AbortController();

process.on('message', (message: LoadSpec | 'stop') => {
  if (message === 'stop') {
    stop.abort();
    return;
  }
  stop = new AbortController();
  measure(message, stop.signal).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String((error as Error).stack) }),
  );
});
process.on('disconnect', () => process.exit(0));
