/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

const AMQP_PRELOAD = ['--require', './packages/instrumentation-amqp/test/fixtures/preload.cjs'];
const AMQPLIB_OF_MANAGER = {
  '3.0.0': '0.8.0',
  '3.2.4': '0.8.0',
  '3.9.0': '0.10.9',
  '4.0.0': '0.10.9',
  '4.1.15': '0.10.9',
};

const SQS_BY_IMPORT = ['--import', './packages/instrumentation-sqs/test/fixtures/by-import.mjs'];

const nest = (version) => ({
  '@nestjs/common': version,
  '@nestjs/core': version,
  '@nestjs/microservices': version,
  'reflect-metadata': '0.1.14',
  rxjs: '7.8.2',
});

/**
 * What `npm run test:versions` runs, by the name of a client:
 * - `packages(version)`: what to install, npm's names and versions
 * - `versions`: oldest first; oldest and newest supported, and those in between that changed what is patched
 * - `brokers`: those that the scenario needs
 * - `scenario`: started as `node scenario folder version`; `expected`: the text that it prints, equal for all versions
 * - `node(version)`, if it needs one: the oldest major of Node that runs it; `nodeOptions`; `needsScripts`: of npm's install
 * - `variants`: options of Node for further runs, each of which prints the same
 * - `installEnv`: variables for npm's install
 */
export const CLIENTS = {
  amqplib: {
    packages: (version) => ({ amqplib: version }),
    versions: ['0.8.0', '0.9.1', '0.10.0', '0.10.9', '1.0.3', '1.2.0', '2.0.1', '2.3.1'],
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
    variants: [SQS_BY_IMPORT],
  },
  // 3.447 speaks JSON, those before it AWS Query; 3.572 renamed the field that asks for system attributes.
  '@aws-sdk/client-sqs': {
    packages: (version) => ({ '@aws-sdk/client-sqs': version }),
    versions: ['3.300.0', '3.405.0', '3.445.0', '3.447.0', '3.501.0', '3.572.0', '3.699.0', '3.901.0', '3.1175.0'],
    brokers: ['sqs'],
    scenario: 'packages/instrumentation-sqs/test/fixtures/client.cjs',
    expected: 'packages/instrumentation-sqs/test/fixtures/client.txt',
    variants: [SQS_BY_IMPORT],
  },
  'sqs-consumer': {
    packages: (version) => ({ 'sqs-consumer': version }),
    versions: ['6.0.2', '6.2.1', '7.5.0', '8.2.0', '9.1.0', '10.3.0', '11.5.0', '12.0.0', '13.0.0', '14.2.8', '15.0.3'],
    brokers: ['sqs'],
    scenario: 'packages/instrumentation-sqs/test/fixtures/sqs-consumer.cjs',
    expected: 'packages/instrumentation-sqs/test/fixtures/sqs-consumer.txt',
    node: (version) => (Number(version.split('.')[0]) >= 15 ? 22 : 20),
  },
  'amqp-connection-manager': {
    // Each with the amqplib of its time; the last with the newest.
    packages: (version) => ({ 'amqp-connection-manager': version, amqplib: AMQPLIB_OF_MANAGER[version] ?? '2.3.1' }),
    versions: ['3.0.0', '3.2.4', '3.9.0', '4.0.0', '4.1.15', '5.0.0'],
    brokers: ['rabbitmq'],
    scenario: 'packages/instrumentation-amqp/test/fixtures/connection-manager.cjs',
    expected: 'packages/instrumentation-amqp/test/fixtures/connection-manager.txt',
  },
  rascal: {
    packages: (version) => ({ rascal: version, amqplib: '0.10.9' }),
    versions: ['14.4.0', '16.1.2', '18.0.0', '20.1.1', '21.0.1'],
    brokers: ['rabbitmq'],
    nodeOptions: AMQP_PRELOAD,
    scenario: 'packages/instrumentation-amqp/test/fixtures/rascal.cjs',
    expected: 'packages/instrumentation-amqp/test/fixtures/rascal.txt',
  },
  'nestjs-rabbitmq': {
    packages: (version) => ({
      ...nest(version),
      'amqp-connection-manager': version.startsWith('9.') ? '4.1.15' : '5.0.0',
      amqplib: '0.10.9',
    }),
    versions: ['9.4.3', '10.4.22', '11.2.6'],
    brokers: ['rabbitmq'],
    nodeOptions: AMQP_PRELOAD,
    scenario: 'packages/instrumentation-amqp/test/fixtures/nestjs.cjs',
    expected: 'packages/instrumentation-amqp/test/fixtures/nestjs.txt',
  },
  'nestjs-kafka': {
    packages: (version) => ({ ...nest(version), kafkajs: '2.2.4' }),
    versions: ['9.4.3', '10.4.22', '11.2.6'],
    brokers: ['kafka'],
    nodeOptions: ['--require', './packages/instrumentation-kafka/test/fixtures/nestjs-preload.cjs'],
    scenario: 'packages/instrumentation-kafka/test/fixtures/nestjs.cjs',
    expected: 'packages/instrumentation-kafka/test/fixtures/nestjs.txt',
  },
  // Builds librdkafka for each version, two to five minutes.
  confluent: {
    packages: (version) => ({ '@confluentinc/kafka-javascript': version }),
    versions: ['1.0.0', '1.10.1'],
    brokers: ['kafka'],
    scenario: 'packages/instrumentation-kafka/test/fixtures/native-scenario.cjs',
    expected: 'packages/instrumentation-kafka/test/fixtures/confluent-scenario.txt',
    needsScripts: true,
    installEnv: { CKJS_LINKING: 'dynamic' },
  },
  'node-rdkafka': {
    packages: (version) => ({ 'node-rdkafka': version }),
    versions: ['3.0.0', '3.6.1'],
    brokers: ['kafka'],
    scenario: 'packages/instrumentation-kafka/test/fixtures/native-scenario.cjs',
    expected: 'packages/instrumentation-kafka/test/fixtures/node-rdkafka-scenario.txt',
    needsScripts: true,
  },
  platformatic: {
    packages: (version) => ({ '@platformatic/kafka': version }),
    versions: ['2.2.3', '2.4.0', '2.7.0', '2.11.0', '2.12.1'],
    brokers: ['kafka'],
    scenario: 'packages/instrumentation-kafka/test/fixtures/platformatic.mjs',
    expected: 'packages/instrumentation-kafka/test/fixtures/platformatic.txt',
    node: () => 22,
  },
  // Amazon's own runtime client of Lambda, with its native part replaced, and upstream's instrumentation beside ours.
  'aws-lambda-ric': {
    packages: (version) => ({ 'aws-lambda-ric': version, '@opentelemetry/instrumentation-aws-lambda': '0.75.0' }),
    versions: ['3.0.0', '3.3.0', '4.0.2'],
    brokers: [],
    scenario: 'packages/auto/test/fixtures/lambda-ric.cjs',
    expected: 'packages/auto/test/fixtures/lambda-ric.txt',
    node: (version) => (Number(version.split('.')[0]) >= 4 ? 22 : 20),
  },
};
