/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * Every attribute, metric and event name this project writes; no other file holds one. (Names that older
 * conventions had are in the files `legacy.ts`.)
 * Names of @opentelemetry/semantic-conventions v1.45.0; the unstable ones are copied, since its `/incubating` entry may
 * change in any minor release. Names below "ours" exist in no convention; each package's README documents those it writes.
 */
import type { Attributes } from '@opentelemetry/api';
import * as stable from '@opentelemetry/semantic-conventions';

// Not an `export from`, which makes getters: with some of those the whole object is a hash table to V8, and each use takes 10 ns.
export const {
  ATTR_ERROR_TYPE,
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ERROR_TYPE_VALUE_OTHER,
} = stable;

export const ATTR_MESSAGING_SYSTEM_NAME = 'messaging.system.name' as const;
export const ATTR_MESSAGING_OPERATION_NAME = 'messaging.operation.name' as const;
export const ATTR_MESSAGING_OPERATION_TYPE = 'messaging.operation.type' as const;
export const ATTR_MESSAGING_DESTINATION_NAME = 'messaging.destination.name' as const;
export const ATTR_MESSAGING_DESTINATION_TEMPLATE = 'messaging.destination.template' as const;
export const ATTR_MESSAGING_DESTINATION_PARTITION_ID = 'messaging.destination.partition.id' as const;
export const ATTR_MESSAGING_DESTINATION_ANONYMOUS = 'messaging.destination.anonymous' as const;
export const ATTR_MESSAGING_DESTINATION_TEMPORARY = 'messaging.destination.temporary' as const;
export const ATTR_MESSAGING_CONSUMER_GROUP_NAME = 'messaging.consumer.group.name' as const;
export const ATTR_MESSAGING_CLIENT_ID = 'messaging.client.id' as const;
export const ATTR_MESSAGING_BATCH_MESSAGE_COUNT = 'messaging.batch.message_count' as const;
export const ATTR_MESSAGING_MESSAGE_ID = 'messaging.message.id' as const;
export const ATTR_MESSAGING_MESSAGE_CONVERSATION_ID = 'messaging.message.conversation_id' as const;
export const ATTR_MESSAGING_MESSAGE_BODY_SIZE = 'messaging.message.body.size' as const;
export const ATTR_KAFKA_MESSAGE_KEY = 'kafka.message.key' as const;
export const ATTR_KAFKA_MESSAGE_TOMBSTONE = 'kafka.message.tombstone' as const;
export const ATTR_KAFKA_OFFSET = 'kafka.offset' as const;
export const ATTR_KAFKA_CLUSTER_ID = 'kafka.cluster.id' as const;
export const ATTR_RABBITMQ_DESTINATION_ROUTING_KEY = 'rabbitmq.destination.routing_key' as const;
export const ATTR_RABBITMQ_MESSAGE_DELIVERY_TAG = 'rabbitmq.message.delivery_tag' as const;
export const ATTR_AWS_SQS_QUEUE_URL = 'aws.sqs.queue.url' as const;
export const ATTR_AWS_SNS_TOPIC_ARN = 'aws.sns.topic.arn' as const;
export const ATTR_AWS_REQUEST_ID = 'aws.request_id' as const;
export const ATTR_AWS_EXTENDED_REQUEST_ID = 'aws.extended_request_id' as const;
export const ATTR_CLOUD_REGION = 'cloud.region' as const;
export const ATTR_RPC_SYSTEM = 'rpc.system' as const;
export const ATTR_RPC_SERVICE = 'rpc.service' as const;
export const ATTR_RPC_METHOD = 'rpc.method' as const;

export const MESSAGING_SYSTEM_NAME_VALUE_KAFKA = 'kafka' as const;
export const MESSAGING_SYSTEM_NAME_VALUE_RABBITMQ = 'rabbitmq' as const;
export const MESSAGING_SYSTEM_NAME_VALUE_AWS_SQS = 'aws.sqs' as const;
export const MESSAGING_SYSTEM_NAME_VALUE_AWS_SNS = 'aws.sns' as const;

export const METRIC_MESSAGING_CLIENT_OPERATION_DURATION = 'messaging.client.operation.duration' as const;
export const METRIC_MESSAGING_CLIENT_SENT_MESSAGES = 'messaging.client.sent.messages' as const;
export const METRIC_MESSAGING_CLIENT_CONSUMED_MESSAGES = 'messaging.client.consumed.messages' as const;
export const METRIC_MESSAGING_PROCESS_DURATION = 'messaging.process.duration' as const;

export const EVENT_MESSAGING_CREATE_EXCEPTION = 'messaging.create.exception' as const;
export const EVENT_MESSAGING_SEND_EXCEPTION = 'messaging.send.exception' as const;
export const EVENT_MESSAGING_RECEIVE_EXCEPTION = 'messaging.receive.exception' as const;
export const EVENT_MESSAGING_PROCESS_EXCEPTION = 'messaging.process.exception' as const;
export const EVENT_MESSAGING_SETTLE_EXCEPTION = 'messaging.settle.exception' as const;

/** Marks the series in which attribute sets beyond an instrument's limit are counted, as in SDKs. */
export const ATTR_OTEL_METRIC_OVERFLOW = 'otel.metric.overflow' as const;

/** Seconds. @see semantic-conventions v1.45.0, docs/messaging/messaging-metrics.md */
export const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * What nearly all spans have, for one more of them. By names that are written out: such an object V8 makes in one piece, in place
 * of adding each to it (100 ns less a span on Node 20).
 */
export function usualAttributes(of: Attributes): Pick<Attributes, Usual> {
  return {
    'messaging.system.name': of['messaging.system.name'],
    'messaging.operation.name': of['messaging.operation.name'],
    'messaging.operation.type': of['messaging.operation.type'],
    'messaging.destination.name': of['messaging.destination.name'],
    'server.address': of['server.address'],
    'server.port': of['server.port'],
  };
}

/** The same for calls of Amazon's clients. Not made of the above: what is added to such an object takes as long as without it. */
export function usualAwsAttributes(of: Attributes): Pick<Attributes, Usual | UsualOfAws> {
  return {
    'messaging.system.name': of['messaging.system.name'],
    'messaging.operation.name': of['messaging.operation.name'],
    'messaging.operation.type': of['messaging.operation.type'],
    'messaging.destination.name': of['messaging.destination.name'],
    'server.address': of['server.address'],
    'server.port': of['server.port'],
    'aws.sqs.queue.url': of['aws.sqs.queue.url'],
    'rpc.system': of['rpc.system'],
    'rpc.service': of['rpc.service'],
    'rpc.method': of['rpc.method'],
    'cloud.region': of['cloud.region'],
  };
}

type UsualOfAws =
  | typeof ATTR_AWS_SQS_QUEUE_URL
  | typeof ATTR_RPC_SYSTEM
  | typeof ATTR_RPC_SERVICE
  | typeof ATTR_RPC_METHOD
  | typeof ATTR_CLOUD_REGION;

type Usual =
  | typeof ATTR_MESSAGING_SYSTEM_NAME
  | typeof ATTR_MESSAGING_OPERATION_NAME
  | typeof ATTR_MESSAGING_OPERATION_TYPE
  | typeof ATTR_MESSAGING_DESTINATION_NAME
  | typeof ATTR_SERVER_ADDRESS
  | typeof ATTR_SERVER_PORT;

// Ours, or other vendors'.

/** Deliveries before this one; as Datadog, New Relic and others name it. */
export const ATTR_MESSAGING_MESSAGE_RETRY_COUNT = 'messaging.message.retry.count' as const;
/** Milliseconds between send and delivery; as other vendors name it. */
export const ATTR_MESSAGING_MESSAGE_RECEIVE_LATENCY = 'messaging.message.receive.latency' as const;
/** What the application told the broker: ack, nack, reject, requeue, delete, retry. */
export const ATTR_MESSAGING_MESSAGE_SETTLEMENT = 'messaging.message.settlement' as const;
/** Where a dead-lettered message died. */
export const ATTR_MESSAGING_DEAD_LETTER_SOURCE = 'messaging.dead_letter.source' as const;
/** Why it died: rejected, expired, maxlen, delivery_limit. */
export const ATTR_MESSAGING_DEAD_LETTER_REASON = 'messaging.dead_letter.reason' as const;
/** Prefix of captured headers; as OpenTelemetry's Java agent names it. */
export const ATTR_MESSAGING_HEADER_PREFIX = 'messaging.header.' as const;
/** How much of a context a message left with: complete, without_baggage, traceparent, trace_header, none. */
export const ATTR_MESSAGING_MESSAGE_CARRIER = 'messaging.message.carrier' as const;
/** Counter of messages by what they carry. */
export const METRIC_MESSAGING_MESSAGE_INJECTIONS = 'messaging.message.injections' as const;
/** Histogram, seconds between send and delivery. */
export const METRIC_MESSAGING_MESSAGE_QUEUE_DURATION = 'messaging.message.queue.duration' as const;
/** Counter of messages whose send time lies in the future of this machine's clock. */
export const METRIC_MESSAGING_MESSAGE_CLOCK_SKEW = 'messaging.message.clock_skew' as const;
/** Gauge, records of a partition that a consumer group has not handled; as OpenTelemetry's Java agent names it. */
export const METRIC_KAFKA_CONSUMER_RECORDS_LAG = 'kafka.consumer.records_lag' as const;
/** Counter of messages that the broker sent back, since no queue wanted them. */
export const METRIC_MESSAGING_CLIENT_RETURNED_MESSAGES = 'messaging.client.returned.messages' as const;
