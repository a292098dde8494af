import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeOnBackends } from '../support/backends.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';

describeOnBackends('SendEvent', (kind) => {
  let guerdon: TestGuerdon;
  beforeAll(async () => {
    guerdon = await startGuerdon(kind);
  });
  afterAll(() => guerdon.close());

  it('answers with the points, committed', async () => {
    const answer = await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
    expect(answer.total).toBe('1');
    expect(answer.points.xp).toMatchObject({ added: 10n, total: 10n, levelChanged: false });
    const points = await guerdon.points.getUserPoints({ userId: 'ada', systemKey: 'xp' });
    expect(points).toMatchObject({ total: 10n, level: { key: 'novice' }, nextLevel: { key: 'apprentice' } });
    expect(points.awards).toHaveLength(1);
  });
});
