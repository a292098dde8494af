import { getRandomValues } from 'node:crypto';
import { v7 } from 'uuid';

/** Ids for which randomness is fetched at once: asking the system for it costs more than all else of making one. */
const IDS = 256;
const BYTES = 16;

/** Makes UUIDs of version 7, each greater than the one before (RFC 9562, 6.2, method 1). */
export function uuidMaker(): () => string {
  const random = new Uint8Array(IDS * BYTES);
  let used = random.length;
  let msecs = 0;
  let seq = 0;
  return () => {
    if (used === random.length) {
      getRandomValues(random);
      used = 0;
    }
    const own = random.subarray(used, used + BYTES);
    used += BYTES;
    const now = Date.now();
    if (now > msecs) {
      msecs = now;
      seq = new DataView(own.buffer, own.byteOffset).getUint32(0) >>> 1;
    } else if (seq === 0xff_ff_ff_ff) {
      msecs += 1;
      seq = 0;
    } else seq += 1;
    return v7({ random: own, msecs, seq });
  };
}
