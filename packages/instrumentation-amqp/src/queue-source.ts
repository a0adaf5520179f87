/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deliveryOf, type Telemetry } from '@otel-messaging/messaging-common';
import type { AmqpMessage } from './amqplib';
import type { ChannelState } from './channels';
import { DeliveredMessages } from './message';
import { type Broker, type Origin, processFacts, receiveFacts } from './operations';
import { Plans } from './plans';

/** A queue that messages are taken from: how they are read, and the plans of what happens to them. */
export class QueueSource {
  readonly reader: DeliveredMessages;
  /** Of calls, which know the queue alone; apart from those of answers, since both remember the last one. */
  readonly pulls: Plans;
  readonly receives: Plans;
  readonly processes: Plans;

  /** @param queue empty if it is not known */
  constructor(
    private readonly telemetry: Telemetry,
    broker: Broker,
    readonly queue: string,
  ) {
    this.reader = new DeliveredMessages(queue);
    this.pulls = new Plans(telemetry, (exchange, routingKey) => receiveFacts(broker, { exchange, routingKey, queue }));
    this.receives = new Plans(telemetry, (exchange, routingKey) =>
      receiveFacts(broker, { exchange, routingKey, queue }),
    );
    this.processes = new Plans(telemetry, (exchange, routingKey) =>
      processFacts(broker, { exchange, routingKey, queue }),
    );
  }

  originOf({ fields }: AmqpMessage): Origin {
    return { exchange: textOf(fields?.exchange), routingKey: textOf(fields?.routingKey), queue: this.queue };
  }

  /** Settle spans say how many messages they settle, and link to their creation contexts. */
  remember(state: ChannelState, tag: number, message: AmqpMessage): void {
    if (!this.telemetry.config.settleSpans) return;
    const creation = deliveryOf(message)?.creation ?? this.telemetry.extract(message, this.reader).creation;
    state.keepTrack();
    state.unsettled.set(tag, { origin: this.originOf(message), creation });
  }
}

/** Whether messages count as settled with their delivery; also the answer for options that no call would take. */
export function isNoAck(options: unknown): boolean {
  return typeof options === 'object' && options !== null && Boolean((options as { readonly noAck?: unknown }).noAck);
}

/** Values of messages come from the wire, those of calls from the application. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
