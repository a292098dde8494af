import { describe } from '@jest/globals';
import { describeNonsense } from '../support/nonsense.ts';

// One in seven, which is no divisor of how many there are of each field, so that in every route all kinds come up; all of
// them: test/long/fuzz.test.ts.
describe('every route refuses', () => describeNonsense({ every: 7, random: 3 }));
