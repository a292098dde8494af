import { describe, expect, it } from '@jest/globals';
import { validate, version } from 'uuid';
import { uuidMaker } from '../src/uuids.ts';

describe('ids', () => {
  it('are of version 7 and ascend, however many are made in a millisecond', () => {
    const uuid = uuidMaker();
    const ids = Array.from({ length: 20_000 }, () => uuid());
    expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  it('of two makers share none', () => {
    const [one, other] = [uuidMaker(), uuidMaker()];
    const ids = Array.from({ length: 2_000 }, () => [one(), other()]).flat();
    expect(new Set(ids).size).toBe(ids.length);
  });
});
