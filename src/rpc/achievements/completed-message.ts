import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { CompletedAchievementSchema } from '../../gen/guerdon/v1/types_pb.ts';
import type { ProgramIndex } from '../../rules/program.ts';
import type { Completion, Instant } from '../../rules/types.ts';
import { achievementMessage } from './achievement-message.ts';

/** An achievement that was completed, as the program has it that completed it. */
export function completedMessage(
  { achievementId, backdated }: Completion,
  at: Instant,
  then: ProgramIndex,
): MessageInitShape<typeof CompletedAchievementSchema> {
  const achievement = then.achievementById.get(achievementId);
  return {
    achievement: achievement === undefined ? { id: achievementId } : achievementMessage(achievement),
    completedAt: timestampFromMs(at),
    backdated,
  };
}
