/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { detailAttributes, messageAttributes, metricAttributes, operationAttributes } from '../src/attributes';
import type { MessageFacts, OperationFacts } from '../src/operation';

const FACTS: OperationFacts = { type: 'send', name: 'publish', system: 'rabbitmq' };

const NAMES = {
  'messaging.system.name': 'rabbitmq',
  'messaging.operation.name': 'publish',
  'messaging.operation.type': 'send',
};

test('details of an operation are those that are known', () => {
  const attributes = { 'messaging.client.id': 'shop', 'cloud.region': undefined };
  expect(detailAttributes({ ...FACTS, attributes })).toEqual({ 'messaging.client.id': 'shop' });
  expect(detailAttributes(FACTS)).toBeUndefined();
});

describe('attributes of an operation', () => {
  test.each<[string, Partial<OperationFacts>, object]>([
    ['nothing but the names', {}, {}],
    ['a destination', { destination: { name: 'orders' } }, { 'messaging.destination.name': 'orders' }],
    ['an empty name', { destination: { name: '' } }, {}],
    [
      'a template',
      { destination: { name: 'orders.7', template: 'orders.{id}' } },
      { 'messaging.destination.name': 'orders.7', 'messaging.destination.template': 'orders.{id}' },
    ],
    [
      'a partition',
      { destination: { name: 'orders', partitionId: '0' } },
      { 'messaging.destination.name': 'orders', 'messaging.destination.partition.id': '0' },
    ],
    ['temporary', { destination: { temporary: true } }, { 'messaging.destination.temporary': true }],
    ['not temporary', { destination: { temporary: false, anonymous: false } }, {}],
    ['anonymous', { destination: { anonymous: true } }, { 'messaging.destination.anonymous': true }],
    ['a server', { server: { address: 'broker', port: 5672 } }, { 'server.address': 'broker', 'server.port': 5672 }],
    ['a port without a server', { server: { port: 5672 } }, {}],
    ['a group', { consumerGroup: 'mailer' }, { 'messaging.consumer.group.name': 'mailer' }],
    ['old names, not asked for', { legacyAttributes: { 'messaging.protocol': 'AMQP' } }, {}],
  ])('%s', (_, facts, expected) => {
    expect(operationAttributes({ ...FACTS, ...facts }, 'new')).toEqual({ ...NAMES, ...expected });
  });

  test.each<[string, Partial<OperationFacts>, object]>([
    ['system of RabbitMQ', {}, { 'messaging.system': 'rabbitmq' }],
    ['system of SQS', { system: 'aws.sqs' }, { 'messaging.system.name': 'aws.sqs', 'messaging.system': 'aws_sqs' }],
    [
      'process',
      { type: 'process' },
      { 'messaging.operation.type': 'process', 'messaging.system': 'rabbitmq', 'messaging.operation': 'process' },
    ],
    [
      "the client's own",
      { legacyAttributes: { 'messaging.protocol': 'AMQP' } },
      { 'messaging.system': 'rabbitmq', 'messaging.protocol': 'AMQP' },
    ],
    [
      'a key of both, with the new value',
      { destination: { name: 'orders' }, legacyAttributes: { 'messaging.destination.name': 'old' } },
      { 'messaging.system': 'rabbitmq', 'messaging.destination.name': 'orders' },
    ],
  ])('under old names too: %s', (_, facts, expected) => {
    expect(operationAttributes({ ...FACTS, ...facts }, 'dup')).toEqual({ ...NAMES, ...expected });
  });
});

describe('attributes of a message', () => {
  test.each<[string, MessageFacts, object]>([
    ['nothing', {}, {}],
    ['an id', { id: '7' }, { 'messaging.message.id': '7' }],
    ['an empty id', { id: '' }, {}],
    ['a conversation', { conversationId: 'c' }, { 'messaging.message.conversation_id': 'c' }],
    ['a first delivery', { retryCount: 0 }, {}],
    ['a second delivery', { retryCount: 1 }, { 'messaging.message.retry.count': 1 }],
    ['a size, not asked for', { bodySize: 5 }, {}],
    ["the client's own", { attributes: { 'kafka.offset': 0 } }, { 'kafka.offset': 0 }],
  ])('%s', (_, facts, expected) => {
    expect(messageAttributes(facts, 'new', false)).toEqual(expected);
  });

  test('have the size where asked, also of an empty body', () => {
    expect(messageAttributes({ bodySize: 0 }, 'new', true)).toEqual({ 'messaging.message.body.size': 0 });
  });

  test.each<[string, MessageFacts, object]>([
    ['an id', { id: '7' }, { 'messaging.message.id': '7', 'messaging.message_id': '7' }],
    [
      'a conversation',
      { conversationId: 'c' },
      { 'messaging.message.conversation_id': 'c', 'messaging.conversation_id': 'c' },
    ],
    [
      'a key',
      { attributes: { 'kafka.message.key': 'k' } },
      { 'kafka.message.key': 'k', 'messaging.kafka.message.key': 'k' },
    ],
    [
      'a tombstone',
      { attributes: { 'kafka.message.tombstone': true } },
      { 'kafka.message.tombstone': true, 'messaging.kafka.message.tombstone': true },
    ],
    [
      'an offset, a text as it used to be',
      { attributes: { 'kafka.offset': 5 } },
      { 'kafka.offset': 5, 'messaging.kafka.offset': '5' },
    ],
    [
      'a routing key',
      { attributes: { 'rabbitmq.destination.routing_key': 'r' } },
      { 'rabbitmq.destination.routing_key': 'r', 'messaging.rabbitmq.routing_key': 'r' },
    ],
    ["the client's own, new values first", { attributes: { x: 1 }, legacyAttributes: { x: 2, y: 2 } }, { x: 1, y: 2 }],
  ])('under old names too: %s', (_, facts, expected) => {
    expect(messageAttributes(facts, 'dup', false)).toEqual(expected);
  });

  test("are no part of the client's object", () => {
    const attributes = Object.freeze({ 'kafka.offset': 1 });
    expect(messageAttributes({ attributes, id: '7' }, 'dup', true)).not.toBe(attributes);
  });
});

describe('attributes of a metric', () => {
  test.each<[string, Partial<OperationFacts>, object]>([
    ['no message, key, or client', { attributes: { 'kafka.offset': 1, 'messaging.client.id': 'shop' } }, {}],
    [
      'a destination',
      { destination: { name: 'orders', partitionId: '0' } },
      { 'messaging.destination.name': 'orders', 'messaging.destination.partition.id': '0' },
    ],
    [
      'a template in place of the name',
      { destination: { name: 'orders.7', template: 'orders.{id}' } },
      { 'messaging.destination.template': 'orders.{id}' },
    ],
    ['no temporary name', { destination: { name: 'reply.1', temporary: true } }, {}],
    ['no anonymous name', { destination: { name: 'amq.gen-1', anonymous: true } }, {}],
    [
      'server and group',
      { server: { address: 'broker', port: 1 }, consumerGroup: 'mailer' },
      { 'server.address': 'broker', 'server.port': 1, 'messaging.consumer.group.name': 'mailer' },
    ],
  ])('%s', (_, facts, expected) => {
    expect(metricAttributes({ ...FACTS, ...facts }, true)).toEqual({ ...NAMES, ...expected });
  });

  test('have no operation type where the instrument says it', () => {
    expect(metricAttributes(FACTS, false)).not.toHaveProperty('messaging.operation.type');
  });
});
