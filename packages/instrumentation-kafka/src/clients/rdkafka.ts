/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { patchConsumerClass } from './rdkafka-consumer';
import { patchProducerClass } from './rdkafka-producer';
import type { ClientClass, RdKafkaScope } from './rdkafka-scope';
import { patchConsumerStreamClass } from './rdkafka-stream';

/** What librdkafka's API in Node.js is made of: node-rdkafka's, and the older one of Confluent's client. */
export interface RdKafka {
  readonly Producer?: ClientClass;
  readonly KafkaConsumer?: ClientClass;
  /** Exported by no module of theirs; a file's exports. */
  readonly KafkaConsumerStream?: ClientClass;
  readonly CODES?: { readonly ERRORS?: Readonly<Record<string, number>> };
}

/** Traces messages of every producer and consumer, also of those that exist. */
export function patchRdKafka(
  { Producer, KafkaConsumer, KafkaConsumerStream, CODES }: RdKafka,
  scope: RdKafkaScope,
): void {
  if (CODES?.ERRORS !== undefined) scope.learn(CODES.ERRORS);
  const isTraced = [
    Producer === undefined || patchProducerClass(Producer, scope),
    KafkaConsumer === undefined || patchConsumerClass(KafkaConsumer, scope),
    KafkaConsumerStream === undefined || patchConsumerStreamClass(KafkaConsumerStream, scope),
  ];
  if (isTraced.includes(false)) scope.standDown();
}
