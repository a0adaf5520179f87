/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * What `npm run test:versions` runs, by the name of a client:
 * - `packages(version)`: what to install, npm's names and versions
 * - `versions`: oldest first; oldest and newest supported, and those in between that changed what is patched
 * - `brokers`: those that the scenario needs
 * - `scenario`: started as `node scenario folder version`; `expected`: the text that it prints, equal for all versions
 * - `node(version)`, if it needs one: the oldest major of Node that runs it; `nodeOptions`; `needsScripts`: of npm's install
 */
export const CLIENTS = {
  amqplib: {
    packages: (version) => ({ amqplib: version }),
    versions: ['0.10.0', '0.10.9', '1.0.3', '1.2.0', '2.0.1', '2.3.1'],
    brokers: ['rabbitmq'],
    scenario: 'packages/instrumentation-amqp/test/fixtures/scenario.cjs',
    expected: 'packages/instrumentation-amqp/test/fixtures/scenario.txt',
  },
};
