'use strict';

/** Types are checked by `tsc` (see `npm run types`); swc only strips them. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/packages', '<rootDir>/test-utils', '<rootDir>/examples', '<rootDir>/bench'],
  testMatch: ['**/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.*/build/'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }] },
  moduleNameMapper: {
    '^@otel-messaging/(messaging-common|instrumentation-sqs|instrumentation-amqp|instrumentation-kafka|auto)$':
      '<rootDir>/packages/$1/src/index.ts',
    '^@otel-messaging/test-utils$': '<rootDir>/test-utils/src/index.ts',
  },
  globalSetup: '<rootDir>/test-utils/jest/global-setup.js',
  globalTeardown: '<rootDir>/test-utils/jest/global-teardown.js',
  reporters: ['default', '<rootDir>/test-utils/jest/closing-line.js'],
  testTimeout: 30_000,
  // Tests mostly wait for brokers and child processes: jest's own choice, one worker on two cores, takes twice as long.
  maxWorkers: 2,
};
