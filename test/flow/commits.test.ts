import { it } from '@jest/globals';
import { describeOnBackends } from '../support/backends.ts';
import { sendCommitsTwice } from '../support/commits.ts';

describeOnBackends('the first 3,000 real commits through one API and two workers, each a process', (kind) => {
  it(
    'end in the balances that the file gives, also after they are sent again',
    () => sendCommitsTwice(kind, 1_500),
    240_000,
  );
});
