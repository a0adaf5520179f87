/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { SpanKind } from '@opentelemetry/api';

/**
 * Which attributes a span must, may and must not have, per system and operation: the semantic conventions v1.45.0 and
 * this project's additions, as data. What a row does not name must not be there.
 */
export interface Row {
  readonly kinds: readonly SpanKind[];
  /** `messaging.operation.name`. */
  readonly names: readonly string[];
  readonly must: readonly string[];
  readonly may: readonly string[];
}

export type OperationType = 'create' | 'send' | 'receive' | 'process' | 'settle';

const ALWAYS = ['messaging.system.name', 'messaging.operation.name', 'messaging.operation.type'];
const DESTINATION = ['messaging.destination.name', 'messaging.destination.template'];
const SERVER = ['server.address', 'server.port'];
const COUNT = 'messaging.batch.message_count';
const MESSAGE = ['messaging.message.id', 'messaging.message.conversation_id', 'messaging.message.body.size'];
const DELIVERY = [
  'messaging.message.retry.count',
  'messaging.message.receive.latency',
  'messaging.message.settlement',
  'messaging.dead_letter.source',
  'messaging.dead_letter.reason',
];

/** Every system; `messaging.header.*` is allowed wherever a single message is described. */
const GENERIC: Readonly<Record<OperationType, Row>> = {
  create: row([SpanKind.PRODUCER], ['create'], [...DESTINATION, ...SERVER, ...MESSAGE]),
  send: row(
    [SpanKind.PRODUCER, SpanKind.CLIENT],
    ['send'],
    [...DESTINATION, ...SERVER, ...MESSAGE, COUNT, 'messaging.client.id'],
  ),
  receive: row(
    [SpanKind.CLIENT],
    ['receive'],
    [...DESTINATION, ...SERVER, ...MESSAGE, ...DELIVERY, COUNT, 'messaging.client.id', 'messaging.consumer.group.name'],
  ),
  process: row(
    [SpanKind.CONSUMER],
    ['process'],
    [...DESTINATION, ...SERVER, ...MESSAGE, ...DELIVERY, COUNT, 'messaging.client.id', 'messaging.consumer.group.name'],
  ),
  settle: row(
    [SpanKind.CLIENT],
    ['settle'],
    [
      ...DESTINATION,
      ...SERVER,
      COUNT,
      'messaging.message.id',
      'messaging.message.conversation_id',
      'messaging.message.retry.count',
      'messaging.client.id',
      'messaging.consumer.group.name',
    ],
  ),
};

const KAFKA_MESSAGE = ['kafka.message.key', 'kafka.message.tombstone', 'messaging.destination.partition.id'];
const KAFKA_PLACE = ['kafka.offset', 'kafka.cluster.id'];
const RABBIT_KEY = [
  'rabbitmq.destination.routing_key',
  'messaging.destination.temporary',
  'messaging.destination.anonymous',
];
const RABBIT_TAG = 'rabbitmq.message.delivery_tag';
const PEER = ['network.peer.address', 'network.peer.port'];
const SQS = ['aws.sqs.queue.url', 'aws.request_id', 'aws.extended_request_id'];
const SNS = ['aws.sns.topic.arn', 'aws.request_id', 'aws.extended_request_id'];
const AWS_CALL = ['rpc.system', 'rpc.service', 'rpc.method', 'cloud.region'];

const SYSTEMS: Readonly<Record<string, Partial<Record<OperationType, Row>>>> = {
  kafka: {
    create: more('create', { may: KAFKA_MESSAGE }),
    send: more('send', { may: [...KAFKA_MESSAGE, ...KAFKA_PLACE] }),
    receive: more('receive', { names: ['poll'], may: [...KAFKA_MESSAGE, ...KAFKA_PLACE] }),
    process: more('process', { must: ['messaging.destination.name'], may: [...KAFKA_MESSAGE, ...KAFKA_PLACE] }),
    settle: more('settle', { names: ['commit'], may: [...KAFKA_PLACE, 'messaging.destination.partition.id'] }),
  },
  rabbitmq: {
    send: more('send', { names: ['publish'], must: ['messaging.destination.name'], may: [...RABBIT_KEY, ...PEER] }),
    receive: more('receive', {
      names: ['get'],
      must: ['messaging.destination.name'],
      may: [...RABBIT_KEY, ...PEER, RABBIT_TAG],
    }),
    process: more('process', {
      names: ['consume'],
      must: ['messaging.destination.name'],
      may: [...RABBIT_KEY, RABBIT_TAG],
    }),
    settle: more('settle', {
      names: ['ack', 'nack', 'reject'],
      must: ['messaging.destination.name'],
      may: [...PEER, RABBIT_TAG, 'messaging.destination.temporary', 'messaging.destination.anonymous'],
    }),
  },
  'aws.sqs': {
    create: more('create', { must: ['messaging.destination.name'], may: SQS }),
    send: more('send', { must: ['messaging.destination.name'], may: [...SQS, ...AWS_CALL] }),
    receive: more('receive', { must: ['messaging.destination.name', COUNT], may: [...SQS, ...AWS_CALL] }),
    process: more('process', { must: ['messaging.destination.name'], may: SQS }),
    settle: more('settle', { names: ['delete'], must: ['messaging.destination.name'], may: [...SQS, ...AWS_CALL] }),
  },
  'aws.sns': {
    create: more('create', { must: ['messaging.destination.name'], may: SNS }),
    send: more('send', { names: ['publish'], may: [...SNS, ...AWS_CALL] }),
  },
  memory: GENERIC, // the test client of the conformance suite
};

/** Undefined for an operation that the system does not have. */
export function rowOf(system: unknown, type: unknown): Row | undefined {
  return SYSTEMS[String(system)]?.[type as OperationType];
}

/** What a link to a message may have. */
export const LINK_MAY: readonly string[] = [
  ...MESSAGE,
  ...DELIVERY,
  ...KAFKA_MESSAGE,
  ...KAFKA_PLACE,
  ...RABBIT_KEY,
  RABBIT_TAG,
  'messaging.destination.name',
  'error.type',
];

/** Attributes whose values are numbers; all others are text, flags or lists of text. */
export const NUMBERS: readonly string[] = [
  COUNT,
  'messaging.message.body.size',
  'messaging.message.retry.count',
  'messaging.message.receive.latency',
  'kafka.offset',
  RABBIT_TAG,
  'server.port',
  'network.peer.port',
];

export interface MetricRow {
  readonly unit: string;
  readonly must: readonly string[];
  readonly may: readonly string[];
}

const METRIC_MUST = ['messaging.system.name', 'messaging.operation.name'];
const METRIC_MAY = [...DESTINATION, ...SERVER, 'messaging.destination.partition.id', 'error.type'];
const GROUP = 'messaging.consumer.group.name';
const SYSTEM = ['messaging.system.name'];
const TRANSIT_MAY = [...DESTINATION, 'server.address', GROUP];

export const METRICS: Readonly<Record<string, MetricRow>> = {
  'messaging.client.operation.duration': {
    unit: 's',
    must: [...METRIC_MUST, 'messaging.operation.type'],
    may: [...METRIC_MAY, GROUP],
  },
  'messaging.process.duration': { unit: 's', must: METRIC_MUST, may: [...METRIC_MAY, GROUP] },
  'messaging.client.sent.messages': { unit: '{message}', must: METRIC_MUST, may: METRIC_MAY },
  'messaging.client.returned.messages': {
    unit: '{message}',
    must: [...METRIC_MUST, 'messaging.operation.type', 'error.type'],
    may: METRIC_MAY,
  },
  'messaging.client.consumed.messages': { unit: '{message}', must: METRIC_MUST, may: [...METRIC_MAY, GROUP] },
  'messaging.message.queue.duration': { unit: 's', must: SYSTEM, may: TRANSIT_MAY },
  'messaging.message.injections': {
    unit: '{message}',
    must: [...METRIC_MUST, 'messaging.message.carrier'],
    may: METRIC_MAY,
  },
  'kafka.consumer.records_lag': {
    unit: '{record}',
    must: ['messaging.system.name', 'messaging.destination.partition.id'],
    may: [...DESTINATION, ...SERVER, GROUP],
  },
  'messaging.message.clock_skew': { unit: '{message}', must: SYSTEM, may: TRANSIT_MAY },
};

function row(kinds: readonly SpanKind[], names: readonly string[], may: readonly string[]): Row {
  return { kinds, names, must: ALWAYS, may: ['error.type', ...may] };
}

function more(type: OperationType, { names, must = [], may }: Partial<Row>): Row {
  const generic = GENERIC[type];
  return {
    kinds: generic.kinds,
    names: names ?? generic.names,
    must: [...generic.must, ...must],
    may: [...generic.may, ...(may ?? [])],
  };
}
