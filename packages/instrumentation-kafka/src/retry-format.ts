/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type Handled,
  handledHere,
  type MessageFacts,
  type OutgoingContext,
  semconv,
} from '@otel-messaging/messaging-common';
import { DeliveredFormat, KafkaFormat, type KafkaMessage, type MessageOptions } from './message';
import { deadLetterSourceIn, RETRY_COUNT_HEADER, retryCountIn } from './retry-headers';
import { isAttemptOf, type RetryTopic, type RetryTopics } from './retry-topics';

/** The formats of one kind by topic: messages of retry and dead-letter topics have a history. */
export class Formats<F extends KafkaFormat> {
  private readonly ofRetries = new WeakMap<RetryTopic, F>();

  constructor(
    private readonly plain: F,
    private readonly topics: RetryTopics,
    private readonly make: (topic: RetryTopic) => F,
  ) {}

  of(topic: string | undefined): F {
    const retryTopic = this.topics.of(topic);
    if (retryTopic === undefined) return this.plain;
    const known = this.ofRetries.get(retryTopic);
    if (known !== undefined) return known;
    const made = this.make(retryTopic);
    this.ofRetries.set(retryTopic, made);
    return made;
  }
}

/** For messages on their way to topics. */
export function outgoingFormats(options: MessageOptions, topics: RetryTopics): Formats<KafkaFormat> {
  return new Formats(new KafkaFormat(options), topics, (topic) => new RetryFormat(options, topics, topic));
}

/** For messages that were delivered. */
export function deliveredFormats(options: MessageOptions, topics: RetryTopics): Formats<DeliveredFormat> {
  return new Formats(new DeliveredFormat(options), topics, (topic) => new RetriedFormat(options, topic));
}

/** Writes how often a message was delivered into its copy for a retry or dead-letter topic. */
class RetryFormat extends KafkaFormat {
  constructor(
    options: MessageOptions,
    private readonly topics: RetryTopics,
    private readonly target: RetryTopic,
  ) {
    super(options);
  }

  override write(message: KafkaMessage, outgoing: OutgoingContext): KafkaMessage {
    const count = this.countFor(message, handledHere());
    if (count === undefined) return super.write(message, outgoing);
    const fields = { ...outgoing.fields, [RETRY_COUNT_HEADER]: String(count) };
    return super.write(message, { ...outgoing, fields, stale: [...outgoing.stale, RETRY_COUNT_HEADER] });
  }

  /** One more than the message in hand had: undefined where it is not that one which is tried again. */
  private countFor(message: KafkaMessage, handled: Handled | undefined): number | undefined {
    const { system, destination, consumerGroup } = handled?.operation ?? {};
    const topic = destination?.name;
    if (system !== semconv.MESSAGING_SYSTEM_NAME_VALUE_KAFKA || topic === undefined) return undefined;
    const from = this.topics.of(topic);
    if (!isAttemptOf(this.target, topic, from, consumerGroup)) return undefined;
    const before = deliveriesBefore(handled?.message as KafkaMessage | undefined, message, from);
    return before === undefined ? undefined : before + 1;
  }
}

/** @param inHand absent where a handler has a batch in hand: nobody knows which of its messages is tried again */
function deliveriesBefore(
  inHand: KafkaMessage | undefined,
  outgoing: KafkaMessage,
  from: RetryTopic | undefined,
): number | undefined {
  const forwarded = retryCountIn(outgoing);
  if (inHand === undefined && from !== undefined) return forwarded;
  // What is in a retry topic has been tried, even if nobody counted.
  const least = from === undefined ? 0 : 1;
  return Math.max((inHand && retryCountIn(inHand)) ?? least, forwarded ?? 0);
}

/** Reads how often messages of a retry or dead-letter topic were delivered before, and where they died. */
class RetriedFormat extends DeliveredFormat {
  constructor(
    options: MessageOptions,
    private readonly topic: RetryTopic,
  ) {
    super(options);
  }

  override describe(message: KafkaMessage): MessageFacts {
    const facts = super.describe(message);
    const retryCount = retryCountIn(message);
    const source = this.topic.kind === 'dead-letter' ? (deadLetterSourceIn(message) ?? this.topic.source) : undefined;
    if (source === undefined) return { ...facts, retryCount };
    const attributes = { ...facts.attributes, [semconv.ATTR_MESSAGING_DEAD_LETTER_SOURCE]: source };
    return { ...facts, attributes, retryCount };
  }
}
