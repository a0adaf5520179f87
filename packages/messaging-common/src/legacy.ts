/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import type { MessageFacts, OperationFacts } from './operation';
import * as semconv from './semconv';

/**
 * Old names of what the conventions renamed, for `dup` mode, as the instrumentations of amqplib (0.71.0, conventions
 * v1.7.0), kafkajs (0.33.0, v1.30) and aws-sdk (0.79.0, mixed) write them. What one client alone wrote comes from that
 * client's `legacyAttributes`.
 */
export function legacyOperationAttributes(facts: OperationFacts): Attributes {
  return {
    'messaging.system': facts.system === semconv.MESSAGING_SYSTEM_NAME_VALUE_AWS_SQS ? 'aws_sqs' : facts.system,
    'messaging.operation': facts.type === 'process' || facts.type === 'receive' ? facts.type : undefined,
  };
}

const RENAMED: Readonly<Record<string, string>> = {
  [semconv.ATTR_KAFKA_MESSAGE_KEY]: 'messaging.kafka.message.key',
  [semconv.ATTR_KAFKA_MESSAGE_TOMBSTONE]: 'messaging.kafka.message.tombstone',
  [semconv.ATTR_RABBITMQ_DESTINATION_ROUTING_KEY]: 'messaging.rabbitmq.routing_key',
};

/** The same of what belongs to one message. */
export function legacyMessageAttributes(facts: MessageFacts): Attributes {
  const legacy: Attributes = {};
  for (const [key, old] of Object.entries(RENAMED)) {
    const value = facts.attributes?.[key];
    if (value !== undefined) legacy[old] = value;
  }
  const offset = facts.attributes?.[semconv.ATTR_KAFKA_OFFSET];
  if (offset !== undefined) legacy['messaging.kafka.offset'] = String(offset);
  if (facts.id !== undefined) legacy['messaging.message_id'] = facts.id;
  if (facts.conversationId !== undefined) legacy['messaging.conversation_id'] = facts.conversationId;
  return legacy;
}
