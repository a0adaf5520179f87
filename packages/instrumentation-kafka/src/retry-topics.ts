/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { BoundedMap } from '@otel-messaging/messaging-common';

/** What a topic is for messages that were tried before. */
export interface RetryTopic {
  /** Tried again, or given up. */
  readonly kind: 'retry' | 'dead-letter';
  /** The topic that its messages come from; absent where it takes those of several. */
  readonly source?: string;
}

/** What the application says of its topics; undefined, or none, leaves a topic to its name. */
export type RetryTopicOf = (topic: string) => RetryTopic | undefined;

/** May change while clients live. */
export interface RetryOptions {
  /** False turns all of this off. */
  retryTopics: boolean | RetryTopicOf;
}

/**
 * What the name of a topic says: `orders.retry`, `orders-retry-5s`, `orders.retry.1`, `retry_orders`; `orders.DLT`,
 * `orders-dlq`, `orders-retry-dlt`, `dead-letter.orders`, and `dead-letters` for those of several topics.
 */
export function namedRetryTopic(topic: string): RetryTopic | undefined {
  if (SHARED_DEAD_LETTERS.test(topic)) return { kind: 'dead-letter' };
  const dead = affixed(topic, DEAD_LETTER_SUFFIX, DEAD_LETTER_PREFIX);
  if (dead !== undefined) return { kind: 'dead-letter', source: affixed(dead, RETRY_SUFFIX, RETRY_PREFIX) ?? dead };
  const source = affixed(topic, RETRY_SUFFIX, RETRY_PREFIX);
  return source === undefined ? undefined : { kind: 'retry', source };
}

/** Kafka's limit for the names of topics. */
const MAX_NAME = 249;

const SHARED_DEAD_LETTERS = /^_*(dlq|dlt|dead[._-]?letters?)([._-]+(queue|topic)s?)?$/i;
const DEAD_LETTER_SUFFIX = /^(.+?)[._-]+(dlq|dlt|dead[._-]?letters?)([._-]+(queue|topic)s?)?$/i;
const DEAD_LETTER_PREFIX = /^_*(?:dlq|dlt|dead[._-]?letters?)[._-]+(.+)$/i;
/** After the word a number, or a time. A number has all of its digits, or thirty of them could be read in a billion ways. */
const RETRY_SUFFIX = /^(.+?)[._-]+(retry|retries)([._-]*\d+(ms|s|m|min|h|d|(?!\d)))*([._-]+(queue|topic)s?)?$/i;
const RETRY_PREFIX = /^_*(?:retry|retries)[._-]+(.+)$/i;

function affixed(topic: string, suffix: RegExp, prefix: RegExp): string | undefined {
  if (topic.length > MAX_NAME) return undefined;
  return suffix.exec(topic)?.[1] ?? prefix.exec(topic)?.[1];
}

/**
 * Whether a message of a topic, republished to a retry or dead-letter topic by its handler, is the same message tried
 * again, or given up. Spring puts the group's name between the topic's and the word.
 * @param topic that the message in hand came from, a retry topic perhaps
 */
export function isAttemptOf(target: RetryTopic, topic: string, from: RetryTopic | undefined, group?: string): boolean {
  const { source } = target;
  if (source === undefined) return true;
  const origin = from === undefined ? topic : from.source;
  if (origin === undefined) return false;
  if (source === origin) return true;
  return group !== undefined && source.length === origin.length + 1 + group.length && source.endsWith(group)
    ? source.startsWith(origin)
    : false;
}

const MAX_TOPICS = 1000;

/** What the topics of all clients are; asked for each message. */
export class RetryTopics {
  private readonly known = new BoundedMap<string, RetryTopic | null>(MAX_TOPICS);
  private last: string | undefined;
  private lastTopic: RetryTopic | undefined;

  /** The option that the entries were made with. */
  private asked: RetryOptions['retryTopics'];

  constructor(private readonly options: RetryOptions) {
    this.asked = options.retryTopics;
  }

  of(topic: string | undefined): RetryTopic | undefined {
    if (this.options.retryTopics !== this.asked) this.forget();
    if (topic === this.last) return this.lastTopic;
    this.lastTopic = topic === undefined ? undefined : this.find(topic);
    this.last = topic;
    return this.lastTopic;
  }

  private find(topic: string): RetryTopic | undefined {
    const known = this.known.get(topic);
    if (known !== undefined) return known ?? undefined;
    return this.known.add(topic, this.decide(topic) ?? null) ?? undefined;
  }

  private decide(topic: string): RetryTopic | undefined {
    const { asked } = this;
    if (asked === false) return undefined;
    return (typeof asked === 'function' ? toldBy(asked, topic) : undefined) ?? namedRetryTopic(topic);
  }

  private forget(): void {
    this.asked = this.options.retryTopics;
    this.known.clear();
    this.last = undefined;
    this.lastTopic = undefined;
  }
}

/** A function of the application's that throws, or answers something else, has said nothing. */
function toldBy(ask: RetryTopicOf, topic: string): RetryTopic | undefined {
  try {
    const told = ask(topic);
    return told?.kind === 'retry' || told?.kind === 'dead-letter' ? told : undefined;
  } catch {
    return undefined;
  }
}
