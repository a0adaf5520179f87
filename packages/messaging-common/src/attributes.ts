/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import { lowCardinalityName } from './conventions';
import { legacyMessageAttributes, legacyOperationAttributes } from './legacy';
import type { Destination, MessageFacts, OperationFacts } from './operation';
import * as semconv from './semconv';

/** Today's names alone, or those of older conventions too. */
export type SemconvMode = 'new' | 'dup';

/**
 * What a sampler may decide on: given at a span's start.
 * @see semantic-conventions v1.45.0, docs/messaging/messaging-spans.md, on attributes that matter for sampling decisions
 */
export function operationAttributes(facts: OperationFacts, mode: SemconvMode): Attributes {
  const { destination, server } = facts;
  return known({
    // First, so that a key which both conventions have takes the new value.
    ...(mode === 'dup' ? { ...legacyOperationAttributes(facts), ...facts.legacyAttributes } : undefined),
    [semconv.ATTR_MESSAGING_SYSTEM_NAME]: facts.system,
    [semconv.ATTR_MESSAGING_OPERATION_NAME]: facts.name,
    [semconv.ATTR_MESSAGING_OPERATION_TYPE]: facts.type,
    [semconv.ATTR_MESSAGING_DESTINATION_NAME]: destination?.name,
    [semconv.ATTR_SERVER_ADDRESS]: server?.address,
    [semconv.ATTR_SERVER_PORT]: server?.address === undefined ? undefined : server.port,
    [semconv.ATTR_MESSAGING_DESTINATION_TEMPLATE]: destination?.template,
    [semconv.ATTR_MESSAGING_DESTINATION_PARTITION_ID]: destination?.partitionId,
    [semconv.ATTR_MESSAGING_DESTINATION_TEMPORARY]: destination?.temporary || undefined,
    [semconv.ATTR_MESSAGING_DESTINATION_ANONYMOUS]: destination?.anonymous || undefined,
    [semconv.ATTR_MESSAGING_CONSUMER_GROUP_NAME]: facts.consumerGroup,
  });
}

/** What the system says of an operation besides; no sampler is promised it. */
export function detailAttributes({ attributes }: OperationFacts): Attributes | undefined {
  return attributes && known(attributes);
}

const NONE: Readonly<Attributes> = Object.freeze({});

/** What belongs to one message: on the span that covers it alone, else on its link. */
export function messageAttributes(facts: MessageFacts, mode: SemconvMode, bodySize: boolean): Readonly<Attributes> {
  const { id, conversationId, retryCount } = facts;
  if (mode === 'new' && !bodySize && !id && !conversationId && !retryCount) return facts.attributes ?? NONE;
  const attributes: Attributes = mode === 'dup' ? { ...legacyMessageAttributes(facts), ...facts.legacyAttributes } : {};
  if (facts.attributes !== undefined) Object.assign(attributes, facts.attributes);
  if (id) attributes[semconv.ATTR_MESSAGING_MESSAGE_ID] = id;
  if (conversationId) attributes[semconv.ATTR_MESSAGING_MESSAGE_CONVERSATION_ID] = conversationId;
  if (retryCount) attributes[semconv.ATTR_MESSAGING_MESSAGE_RETRY_COUNT] = retryCount;
  if (bodySize && facts.bodySize !== undefined) attributes[semconv.ATTR_MESSAGING_MESSAGE_BODY_SIZE] = facts.bodySize;
  return attributes;
}

/**
 * The few attributes of low cardinality that metrics have; `error.type` is added where one is known.
 * @see semantic-conventions v1.45.0, docs/messaging/messaging-metrics.md
 */
export function metricAttributes(facts: OperationFacts, withType: boolean): Attributes {
  const { destination, server } = facts;
  return known({
    [semconv.ATTR_MESSAGING_SYSTEM_NAME]: facts.system,
    [semconv.ATTR_MESSAGING_OPERATION_NAME]: facts.name,
    [semconv.ATTR_MESSAGING_OPERATION_TYPE]: withType ? facts.type : undefined,
    ...destinationOfMetric(destination),
    [semconv.ATTR_MESSAGING_DESTINATION_PARTITION_ID]: destination?.partitionId,
    [semconv.ATTR_MESSAGING_CONSUMER_GROUP_NAME]: facts.consumerGroup,
    [semconv.ATTR_SERVER_ADDRESS]: server?.address,
    [semconv.ATTR_SERVER_PORT]: server?.address === undefined ? undefined : server.port,
  });
}

/**
 * Of the time that messages were on their way: between two places, whoever reads there. Few, so that there are few series; and
 * where an SDK makes a text of all of them for each message, each costs a fifth of a microsecond.
 */
export function transitAttributes({ system, destination, consumerGroup, server }: OperationFacts): Attributes {
  return known({
    [semconv.ATTR_MESSAGING_SYSTEM_NAME]: system,
    ...destinationOfMetric(destination),
    [semconv.ATTR_MESSAGING_CONSUMER_GROUP_NAME]: consumerGroup,
    [semconv.ATTR_SERVER_ADDRESS]: server?.address,
  });
}

/** A template in place of the name, where there is one. */
function destinationOfMetric(destination: Destination | undefined): Attributes {
  return destination?.template === undefined
    ? { [semconv.ATTR_MESSAGING_DESTINATION_NAME]: lowCardinalityName(destination) }
    : { [semconv.ATTR_MESSAGING_DESTINATION_TEMPLATE]: destination.template };
}

/**
 * The entries that have a value: conventions ask to leave out what is not known. A new object, since one that lost
 * properties is slow to read, and every span reads it.
 */
function known(attributes: Attributes): Attributes {
  const entries: Attributes = {};
  for (const key of Object.keys(attributes)) {
    if (attributes[key] !== undefined && attributes[key] !== '') entries[key] = attributes[key];
  }
  return entries;
}
