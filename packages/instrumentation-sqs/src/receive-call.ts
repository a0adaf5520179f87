/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  awaitMessages,
  followIndex,
  letGoOfTaken,
  type ReceiveOperation,
  type Telemetry,
} from '@otel-messaging/messaging-common';
import type { Carry } from './carrying';
import { copyOf } from './copies';
import type { IncomingMessage } from './incoming-message';
import { requestIdAttribute } from './operations';
import type { Queue } from './queue';
import { note, noted, Received, rememberReceipt } from './received';
import { type AskedAttributes, askedBy, type ReceiveRequest, withoutAddedFields } from './received-attributes';
import { type Command, TracedCall } from './traced-call';

/** `ReceiveMessage`; undefined where nothing is to be recorded. */
export function receiveMessage(telemetry: Telemetry, queue: Queue, { input }: Command): TracedCall | undefined {
  if (queue.followsIndex) letGoOfTaken();
  if (telemetry.config.perMessageSpans && !isTaken(queue, input)) awaitMessages();
  const operation = telemetry.startReceive(queue.plan('receive'));
  return operation && new ReceiveCall(telemetry, operation, input, queue);
}

/** Whether the application has asked for one message, and so has no reason to walk: it takes that by its index. */
function isTaken({ followsIndex }: Queue, { MaxNumberOfMessages: count }: ReceiveRequest): boolean {
  return followsIndex && (count === undefined || count === null || count === 1);
}

/** Where no propagator is registered. */
const NONE: readonly string[] = [];

class ReceiveCall extends TracedCall<ReceiveOperation> {
  /** Undefined for as long as nothing more was asked for than the application does. */
  private asked: AskedAttributes | undefined;
  private readonly names: unknown;

  constructor(
    telemetry: Telemetry,
    private readonly receive: ReceiveOperation,
    private input: ReceiveRequest,
    private readonly queue: Queue,
  ) {
    super(telemetry, receive);
    this.names = input.MessageAttributeNames;
  }

  override get carry(): Carry {
    return (input) => {
      const fields = this.telemetry.signals.carrier?.fields ?? NONE;
      const own = withoutAddedFields(input as ReceiveRequest, this.names, fields);
      const asked = askedBy(own, this.queue.systemNamesField);
      const extended = asked.extended(own, fields);
      this.input = input;
      this.asked = asked;
      return extended;
    };
  }

  protected finish(output: object): unknown {
    const { Messages: messages } = output as { readonly Messages?: IncomingMessage[] };
    if (!Array.isArray(messages) || messages.length === 0) {
      this.end(output);
      return output;
    }
    if (!Object.isFrozen(messages)) {
      this.deliver(messages, output);
      return output;
    }
    // By a middleware of the application, which gets what it would have got: a frozen array of what it asked for.
    const shown: IncomingMessage[] = Array.prototype.slice.call(messages);
    this.deliver(shown, output);
    const copy = Object.assign(copyOf(output), { Messages: Object.freeze(shown) });
    return Object.isFrozen(output) ? Object.freeze(copy) : copy;
  }

  /** Puts into the client's array what the application asked for, and notes the rest on each message. */
  private deliver(messages: IncomingMessage[], output: object): void {
    const { reader } = this.queue;
    const all: Received[] = [];
    // By index: walking an array that was delivered before would begin the handling of its messages.
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i] as IncomingMessage;
      // An answer that a middleware of the application gives again has lost what we took out of it.
      const system = noted(message)?.system ?? message.Attributes;
      const received = new Received(message.MessageId, system, message.MessageAttributes);
      const visible = this.asked?.visible(message) ?? message;
      note(visible, received);
      if (visible !== message) messages[i] = visible;
      rememberReceipt(visible.ReceiptHandle, received);
      all.push(received);
    }
    const attributes = this.requestAttributes(output);
    const deliveries = this.receive.endWithMessages(
      messages,
      reader,
      this.queue.plan('process'),
      attributes,
      requestIdAttribute(output),
      isTaken(this.queue, this.input) ? followIndex : undefined,
    );
    for (let i = 0; i < all.length; i++) {
      const received = all[i] as Received;
      received.delivery = deliveries[i];
      received.attributes = undefined; // read by now, and perhaps large
    }
  }
}
