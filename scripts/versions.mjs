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
  kafkajs: {
    packages: (version) => ({ kafkajs: version }),
    versions: ['1.9.0', '1.12.0', '1.15.0', '1.16.0', '2.0.2', '2.1.0', '2.2.4'],
    brokers: ['kafka'],
    scenario: 'packages/instrumentation-kafka/test/fixtures/scenario.cjs',
    expected: 'packages/instrumentation-kafka/test/fixtures/scenario.txt',
  },
  // Before 3.447 SQS speaks AWS Query, which SNS still does.
  '@aws-sdk/client-sns': {
    packages: (version) => ({ '@aws-sdk/client-sns': version, '@aws-sdk/client-sqs': version }),
    versions: ['3.300.0', '3.445.0', '3.572.0', '3.901.0', '3.1169.0'],
    brokers: ['sqs'],
    scenario: 'packages/instrumentation-sqs/test/fixtures/topics.cjs',
    expected: 'packages/instrumentation-sqs/test/fixtures/topics.txt',
  },
  'sqs-consumer': {
    packages: (version) => ({ 'sqs-consumer': version }),
    versions: ['6.0.0', '6.2.1', '7.5.0', '8.2.0', '9.1.0', '10.3.0', '11.5.0', '12.0.0', '13.0.0', '14.2.8', '15.0.3'],
    brokers: ['sqs'],
    scenario: 'packages/instrumentation-sqs/test/fixtures/sqs-consumer.cjs',
    expected: 'packages/instrumentation-sqs/test/fixtures/sqs-consumer.txt',
    node: (version) => (Number(version.split('.')[0]) >= 15 ? 22 : 20),
  },
};
