/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type Handled,
  handledHere,
  type MessageFacts,
  type MessageReader,
  type MessageWriter,
  type OutgoingContext,
  semconv,
} from '@otel-messaging/messaging-common';
import { DEAD_LETTER_SOURCE_HEADER, deadLetterSourceIn, RETRY_COUNT_HEADER, retryCountIn } from './retry-headers';
import { isAttemptOf, type RetryTopic, type RetryTopics } from './retry-topics';

/** The formats of one kind of message by topic: messages of retry and dead-letter topics have a history. */
export class Formats<F> {
  private readonly ofRetries = new WeakMap<RetryTopic, F>();

  constructor(
    private readonly plain: F,
    private readonly topics: RetryTopics,
    private readonly make: (plain: F, topic: RetryTopic) => F,
  ) {}

  of(topic: string | undefined): F {
    const retryTopic = this.topics.of(topic);
    if (retryTopic === undefined) return this.plain;
    const known = this.ofRetries.get(retryTopic);
    if (known !== undefined) return known;
    const made = this.make(this.plain, retryTopic);
    this.ofRetries.set(retryTopic, made);
    return made;
  }
}

/** For messages on their way to topics. */
export function outgoingFormats<M>(plain: MessageWriter<M>, topics: RetryTopics): Formats<MessageWriter<M>> {
  return new Formats(plain, topics, (format, topic) => new RetryFormat(format, topics, topic));
}

/** For messages that were delivered. */
export function deliveredFormats<M>(plain: MessageReader<M>, topics: RetryTopics): Formats<MessageReader<M>> {
  return new Formats(plain, topics, (format, topic) => new RetriedFormat(format, topic));
}

/** Another format, for messages of one retry or dead-letter topic. */
class TopicReader<M, F extends MessageReader<M>> implements MessageReader<M> {
  constructor(
    protected readonly format: F,
    protected readonly topic: RetryTopic,
  ) {}

  get(message: M, field: string): string | undefined {
    return this.format.get(message, field);
  }

  keys(message: M): string[] {
    return this.format.keys(message);
  }

  describe(message: M): MessageFacts {
    return this.format.describe(message);
  }

  sentAtMs(message: M): number | undefined {
    return this.format.sentAtMs?.(message);
  }
}

/** Writes what a message has been through into its copy for a retry or dead-letter topic. */
class RetryFormat<M> extends TopicReader<M, MessageWriter<M>> implements MessageWriter<M> {
  constructor(
    format: MessageWriter<M>,
    private readonly topics: RetryTopics,
    target: RetryTopic,
  ) {
    super(format, target);
  }

  canCarry(message: M): boolean {
    return this.format.canCarry?.(message) ?? true;
  }

  write(message: M, outgoing: OutgoingContext): M | undefined {
    const history = this.historyOf(message, handledHere());
    if (history === undefined) return this.format.write(message, outgoing);
    const fields = { ...outgoing.fields, ...history };
    return this.format.write(message, { ...outgoing, fields, stale: [...outgoing.stale, ...Object.keys(history)] });
  }

  /** What the message in hand has been through; undefined where it is not that one which is sent on. */
  private historyOf(message: M, handled: Handled | undefined): Record<string, string> | undefined {
    if (handled === undefined) return undefined;
    const { system, destination, consumerGroup } = handled.operation;
    const topic = destination?.name;
    if (system !== semconv.MESSAGING_SYSTEM_NAME_VALUE_KAFKA || topic === undefined) return undefined;
    const from = this.topics.of(topic);
    if (!isAttemptOf(this.topic, topic, from, consumerGroup)) return undefined;
    const history: Record<string, string> = {};
    const before = deliveriesBefore(handled, retryCountIn(message, this.format), from);
    if (before !== undefined) history[RETRY_COUNT_HEADER] = String(before + 1);
    const isShared = this.topic.kind === 'dead-letter' && this.topic.source === undefined;
    if (isShared) history[DEAD_LETTER_SOURCE_HEADER] = from?.source ?? topic;
    return history;
  }
}

/** @param forwarded count in the headers that the application sends on */
function deliveriesBefore(
  { message, reader }: Handled,
  forwarded: number | undefined,
  from: RetryTopic | undefined,
): number | undefined {
  // A handler has a batch in hand: nobody knows which of its messages is tried again.
  if (message === undefined && from !== undefined) return forwarded;
  // What is in a retry topic has been tried, even if nobody counted.
  const least = from === undefined ? 0 : 1;
  const inHand = message === undefined || reader === undefined ? undefined : retryCountIn(message, reader);
  return Math.max(inHand ?? least, forwarded ?? 0);
}

/** Reads how often messages of a retry or dead-letter topic were delivered before, and where they died. */
class RetriedFormat<M> extends TopicReader<M, MessageReader<M>> {
  override describe(message: M): MessageFacts {
    const { format, topic } = this;
    const facts = format.describe(message);
    const retryCount = retryCountIn(message, format);
    const source = topic.kind === 'dead-letter' ? (deadLetterSourceIn(message, format) ?? topic.source) : undefined;
    if (source === undefined) return { ...facts, retryCount };
    const attributes = { ...facts.attributes, [semconv.ATTR_MESSAGING_DEAD_LETTER_SOURCE]: source };
    return { ...facts, attributes, retryCount };
  }
}
