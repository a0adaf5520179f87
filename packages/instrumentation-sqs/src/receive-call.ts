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
import { note, noted, Received, receivedBy, rememberReceipt } from './received';
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

  /** An empty poll has no span, and would leave that of its request behind as a trace of its own. */
  override get isQuiet(): boolean {
    return true;
  }

  override get carry(): Carry {
    return (input: ReceiveRequest) => {
      const fields = this.telemetry.signals.carrier?.fields ?? NONE;
      const own = this.isShared ? withoutAddedFields(input, this.names, fields) : input;
      const asked = askedBy(own, this.queue.systemNamesField);
      this.input = asked.extended(own, fields);
      return { input: this.input, restored: (answer) => withMessages(answer, (messages) => show(messages, asked)) };
    };
  }

  protected finish(answer: object): unknown {
    const { Messages: messages } = answer as Answer;
    if (Array.isArray(messages) && messages.length > 0) {
      return withMessages(answer, (shown) => this.deliver(shown, answer));
    }
    this.end(answer);
    return answer;
  }

  private deliver(messages: IncomingMessage[], answer: object): void {
    const all: Received[] = [];
    // By index: walking an array that was delivered before would begin the handling of its messages.
    for (let i = 0; i < messages.length; i++) all.push(asReceived(messages[i] as IncomingMessage));
    const attributes = this.requestAttributes(answer);
    const deliveries = this.receive.endWithMessages(
      messages,
      this.queue.reader,
      this.queue.plan('process'),
      attributes,
      requestIdAttribute(answer),
      isTaken(this.queue, this.input) ? followIndex : undefined,
    );
    for (let i = 0; i < all.length; i++) {
      const received = all[i] as Received;
      received.delivery = deliveries[i];
      received.attributes = undefined; // read by now, and perhaps large
    }
  }
}

interface Answer {
  readonly Messages?: IncomingMessage[];
}

/** Puts into the client's array what the application asked for, and notes on each message all that came. */
function show(messages: IncomingMessage[], asked: AskedAttributes): void {
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i] as IncomingMessage;
    const visible = asked.visible(message);
    remember(visible, new Received(message.MessageId, message.Attributes, message.MessageAttributes));
    if (visible !== message) messages[i] = visible;
  }
}

/** What is known of a message, or of the copy that a middleware of the application has made of it. */
function asReceived(message: IncomingMessage): Received {
  const found = noted(message) ?? receivedBy(message.ReceiptHandle);
  // Services that are made up may give all messages one handle.
  const known = found?.messageId === message.MessageId ? found : undefined;
  if (known !== undefined && known.delivery === undefined) {
    note(message, known);
    return known;
  }
  // An answer that a middleware gives again has lost what we took out of it.
  const system = known?.system ?? message.Attributes;
  return remember(message, new Received(message.MessageId, system, message.MessageAttributes));
}

function remember(message: IncomingMessage, received: Received): Received {
  note(message, received);
  rememberReceipt(message.ReceiptHandle, received);
  return received;
}

/**
 * An answer with its messages changed, in the client's own array. Where a middleware of the application has frozen that, in a copy
 * which is frozen as well.
 */
function withMessages(answer: object, change: (messages: IncomingMessage[]) => void): object {
  const { Messages: messages } = answer as Answer;
  if (!Array.isArray(messages)) return answer;
  if (!Object.isFrozen(messages)) {
    change(messages);
    return answer;
  }
  const copy: IncomingMessage[] = Array.prototype.slice.call(messages);
  change(copy);
  const changed = Object.assign(copyOf(answer), { Messages: Object.freeze(copy) });
  return Object.isFrozen(answer) ? Object.freeze(changed) : changed;
}
