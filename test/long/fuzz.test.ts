import { describe } from '@jest/globals';
import { describeNonsense } from '../support/nonsense.ts';

describe('every route refuses', () => describeNonsense({ every: 1, random: 100 }));
