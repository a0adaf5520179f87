/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AnyFunction, Patches, Telemetry } from '@otel-messaging/messaging-common';
import type { Consumer, ConsumerConfig, Kafka, KafkaConfig, Producer } from 'kafkajs';
import { DeliveredFormat, KafkaFormat, type MessageOptions } from '../message';
import { type ClientFacts, serverOf } from '../operations';
import { deliveredFormats, outgoingFormats } from '../retry-format';
import { type RetryOptions, RetryTopics } from '../retry-topics';
import { withClusterId } from './kafkajs-cluster';
import { patchConsumer } from './kafkajs-consumer';
import { patchProducer } from './kafkajs-producer';

/** The class `Kafka`, as its module exports it. */
export type KafkaClass = typeof Kafka;

/** Where kafkajs defines its class `Kafka`; loaded by `require` inside the package, also for ES module applications. */
export const KAFKAJS_FILE = 'kafkajs/src/index.js';

/**
 * Makes every new producer and consumer a traced one. Stands down where something else that wraps functions as
 * OpenTelemetry's instrumentations do was there first: one send must not have two spans and two contexts.
 */
export function patchKafka(
  kafkaClass: KafkaClass,
  patches: Patches,
  telemetry: Telemetry,
  options: MessageOptions & RetryOptions,
): void {
  const { prototype } = kafkaClass;
  const topics = new RetryTopics(options);
  const outgoing = outgoingFormats(new KafkaFormat(options), topics);
  const delivered = deliveredFormats(new DeliveredFormat(options), topics);
  if (patches.isForeign(prototype.producer) || patches.isForeign(prototype.consumer)) return;
  patches.add(prototype, 'producer', (original: AnyFunction) => {
    return function producer(this: Kafka, ...args: unknown[]): Producer {
      const { client, clusterId } = withClusterId(this, telemetry, () => original.apply(this, args) as Producer);
      telemetry.guard('trace a producer', undefined, () => {
        patchProducer(client, { ...clientFacts(this), clusterId }, telemetry, outgoing);
      });
      return client;
    };
  });
  patches.add(prototype, 'consumer', (original: AnyFunction) => {
    return function consumer(this: Kafka, ...args: unknown[]): Consumer {
      const { client, clusterId } = withClusterId(this, telemetry, () => original.apply(this, args) as Consumer);
      telemetry.guard('trace a consumer', undefined, () => {
        const groupId = (args[0] as ConsumerConfig | undefined)?.groupId;
        const group = typeof groupId === 'string' ? groupId : undefined;
        patchConsumer(client, { ...clientFacts(this), groupId: group, clusterId }, telemetry, delivered);
      });
      return client;
    };
  });
}

/** Whether the class makes clients that are traced by the owner of `patches`. */
export function isPatched({ prototype }: KafkaClass, patches: Patches): boolean {
  return patches.owns(prototype.producer);
}

/** What each instance of `Kafka` was made with; the class itself keeps it out of reach. */
const configurations = new WeakMap<Kafka, ClientFacts>();

function clientFacts(kafka: Kafka): ClientFacts {
  return configurations.get(kafka) ?? {};
}

/**
 * The class, made to remember what its instances are configured with. A proxy and not a subclass: `instanceof`, static
 * members and the prototype that is patched stay the class's own.
 */
export function remembering(kafkaClass: KafkaClass, telemetry: Telemetry): KafkaClass {
  return new Proxy(kafkaClass, {
    construct(target, args: [KafkaConfig], newTarget) {
      const kafka = Reflect.construct(target, args, newTarget) as Kafka;
      telemetry.guard('read the configuration of a client', undefined, () => {
        const { clientId, brokers } = args[0];
        configurations.set(kafka, {
          clientId: typeof clientId === 'string' ? clientId : undefined,
          server: serverOf(brokers),
        });
      });
      return kafka;
    },
  });
}
