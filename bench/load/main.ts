import { measure } from './measure.ts';
import type { LoadSpec } from './spec.ts';

// The load in a process of its own: takes a spec, answers with the result.

process.on('message', (spec: LoadSpec) => {
  measure(spec).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String((error as Error).stack) }),
  );
});
process.on('disconnect', () => process.exit(0));
