import base from '../../jest.config.mjs';

// The tests that take minutes: `npm run test:long`.
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/long/**/*.test.ts'],
  testPathIgnorePatterns: [],
  testTimeout: 600_000,
};
