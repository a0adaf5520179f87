/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const SYSTEM_LABELS = { 'aws.sqs': 'SQS', kafka: 'Kafka', rabbitmq: 'RabbitMQ' };

/** The messaging system of a span by its name of today, also where the instrumentation still writes older conventions. */
function systemOf({ attributes }) {
  const system = attributes['messaging.system.name'] ?? attributes['messaging.system'];
  return system === 'aws_sqs' || system === 'AmazonSQS' ? 'aws.sqs' : system;
}

/**
 * Which single message a span is about, in a form that is the same at producer and consumer and comes from the broker
 * (Kafka: topic, partition, offset) or the message itself (its id); undefined for batches and everything else.
 */
function messageOf(span) {
  const { attributes } = span;
  const system = systemOf(span);
  if (system === 'kafka') {
    const topic = attributes['messaging.destination.name'];
    const partition = attributes['messaging.destination.partition.id'];
    const offset = attributes['kafka.offset'] ?? attributes['messaging.kafka.offset'];
    return partition === undefined || offset === undefined ? undefined : `kafka/${topic}/${partition}/${offset}`;
  }
  const id = attributes['messaging.message.id'] ?? attributes['messaging.message_id'];
  return system && id ? `${system}/${id}` : undefined;
}

/** Where the message of a consumer span waited, for people: `SQS orders`. */
function queueOf(span) {
  const system = systemOf(span);
  const destination = String(span.attributes['messaging.destination.name'] ?? '');
  const queue = system === 'rabbitmq' ? destination.split(':').at(-1) : destination;
  return `${SYSTEM_LABELS[system] ?? system} ${queue}`.trim();
}

/** Whether the handler gave the message back or away: not a failure of the span, but worth seeing. */
const isRefused = ({ attributes }) => ['nack', 'reject'].includes(attributes['messaging.message.settlement']);

module.exports = { isRefused, messageOf, queueOf };
