/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import {
  type Destination,
  type OperationFacts,
  type OperationType,
  type Server,
  semconv,
} from '@otel-messaging/messaging-common';
import { legacyFacts } from './legacy';

/** The pseudo-queue of direct reply-to; for each channel its name gets a suffix. */
const REPLY_TO = 'amq.rabbitmq.reply-to';

/** What is known of the broker that a connection goes to. */
export interface Broker {
  readonly server?: Server;
  /** The other end of the socket. */
  readonly peer?: Server;
}

/** Where a message came from; empty where it is not known. */
export interface Origin {
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
}

export function sendFacts(broker: Broker, exchange: string, routingKey: string): OperationFacts {
  return {
    ...facts('send', 'publish', broker),
    destination: producerDestination(exchange, routingKey),
    attributes: { ...routingKeyAttribute(routingKey), ...peerAttributes(broker) },
    legacyAttributes: legacyFacts(exchange, routingKey),
  };
}

export function receiveFacts(broker: Broker, origin: Origin): OperationFacts {
  return {
    ...facts('receive', 'get', broker),
    destination: consumerDestination(origin),
    attributes: { ...routingKeyAttribute(origin.routingKey), ...peerAttributes(broker) },
    legacyAttributes: legacyFacts(origin.exchange, origin.routingKey),
  };
}

export function processFacts(broker: Broker, origin: Origin): OperationFacts {
  return {
    ...facts('process', 'consume', broker),
    destination: consumerDestination(origin),
    attributes: routingKeyAttribute(origin.routingKey),
    legacyAttributes: legacyFacts(origin.exchange, origin.routingKey),
  };
}

/** @param origin of the one message that is settled, or of all of them if it is the same */
export function settleFacts(
  broker: Broker,
  name: 'ack' | 'nack' | 'reject',
  origin: Origin | undefined,
  isBatch: boolean,
): OperationFacts {
  return {
    ...facts('settle', name, broker),
    destination: origin && consumerDestination(origin),
    isBatch,
    attributes: peerAttributes(broker),
  };
}

/** @see semantic-conventions v1.45.0, docs/messaging/rabbitmq.md */
export function producerDestination(exchange: string, routingKey: string): Destination {
  const name = joined(exchange, routingKey) || 'amq.default';
  return exchange === '' ? { name, ...lifetime(routingKey) } : { name };
}

/** @see semantic-conventions v1.45.0, docs/messaging/rabbitmq.md */
export function consumerDestination({ exchange, routingKey, queue }: Origin): Destination | undefined {
  // A consumer of replies names the pseudo-queue, and the routing key is what it is called for this channel.
  const name = joined(exchange, routingKey, queue === routingKey || queue === REPLY_TO ? '' : queue);
  // The default exchange's routing key is the queue, where that was not named: '' stands for the last one declared.
  const known = queue === '' && exchange === '' ? routingKey : queue;
  return name === '' ? undefined : { name, ...lifetime(known) };
}

function facts(type: OperationType, name: string, { server }: Broker) {
  return { type, name, system: semconv.MESSAGING_SYSTEM_NAME_VALUE_RABBITMQ, server };
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(':');
}

/** Queues that the broker names: `amq.gen-…`, and the pseudo-queues of direct reply-to, which live as long as a channel. */
function lifetime(queue: string): Pick<Destination, 'anonymous' | 'temporary'> {
  if (queue.startsWith(REPLY_TO)) return { anonymous: true, temporary: true };
  return queue.startsWith('amq.gen-') ? { anonymous: true } : {};
}

function routingKeyAttribute(routingKey: string): Attributes {
  return routingKey === '' ? {} : { [semconv.ATTR_RABBITMQ_DESTINATION_ROUTING_KEY]: routingKey };
}

function peerAttributes({ peer }: Broker): Attributes {
  if (peer?.address === undefined) return {};
  return {
    [semconv.ATTR_NETWORK_PEER_ADDRESS]: peer.address,
    [semconv.ATTR_NETWORK_PEER_PORT]: peer.port,
  };
}
