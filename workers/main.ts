import { runProcess } from '../src/process.ts';

await runProcess({ ...process.env, GUERDON_ROLE: 'worker' });
