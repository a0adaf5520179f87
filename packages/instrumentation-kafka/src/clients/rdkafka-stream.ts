/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deliveredFormats } from '../retry-format';
import { Positions, type Watermarks, weakly } from './rdkafka-lag';
import { RdFormat } from './rdkafka-message';
import { type ClientClass, clientFactsOf, type RdClient, type RdKafkaScope } from './rdkafka-scope';
import { patchStreamClass } from './streams';

/** What `createReadStream` makes; it polls its consumer for messages. */
interface RdStream {
  readonly consumer: (RdClient & Watermarks) | null;
}

/** The stream's messages have their spans where the application takes them; its polls have none. */
export function patchConsumerStreamClass({ prototype }: ClientClass, scope: RdKafkaScope): boolean {
  const formats = deliveredFormats(new RdFormat(scope.options), scope.topics);
  scope.wrap(prototype, 'connect', (original) => {
    return function connect(this: RdStream, ...args: unknown[]) {
      if (this.consumer) scope.streaming.add(this.consumer);
      return original.apply(this, args);
    };
  });
  return patchStreamClass(prototype as RdStream, scope, ({ consumer }) => {
    const positions = consumer === null ? undefined : new Positions(scope.telemetry, weakly(consumer));
    return { client: clientFactsOf(consumer ?? {}), formats, positions };
  });
}
