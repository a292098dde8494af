import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { GuerdonProcess } from './guerdon.ts';

/** Lets a spawned process be asked what it holds. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

export interface Memory {
  /** Bytes on and off the heap that are in use after a garbage collection. */
  used: number;
  /** Bytes that the system has given it; 0 where the system does not tell. */
  resident: number;
}

/** What a process spawned with INSPECTED holds, asked from outside. */
export async function memoryOf(guerdon: GuerdonProcess): Promise<Memory> {
  const address = /Debugger listening on (ws:\S+)/.exec(guerdon.output())?.[1];
  if (address === undefined) throw new Error('the process was not spawned with INSPECTED');
  const socket = new WebSocket(address);
  await once(socket, 'open');
  const ask = async (method: string, params: object = {}) => {
    socket.send(JSON.stringify({ id: 1, method, params }));
    for (;;) {
      const [{ data }] = (await once(socket, 'message')) as [MessageEvent];
      const answer = JSON.parse(data);
      if (answer.id === 1) return answer.result;
    }
  };
  for (let time = 0; time < 3; time += 1) await ask('HeapProfiler.collectGarbage');
  const { result } = await ask('Runtime.evaluate', { expression: 'process.memoryUsage()', returnByValue: true });
  socket.close();
  return { used: result.value.heapUsed + result.value.external, resident: residentBytes(guerdon.child.pid as number) };
}

function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
