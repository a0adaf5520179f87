/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type ActiveOperation,
  type AnyFunction,
  isObservable,
  type MessageWriter,
  type Outcome,
  semconv,
} from '@otel-messaging/messaging-common';
import { ownCopyOf } from '../copy';
import { batchSendFacts, createFacts, sendFacts, TopicPlans } from '../operations';
import { type Formats, outgoingFormats } from '../retry-format';
import { clientFactsOf, headerFormOf, type PltClient } from './platformatic-client';
import { PltFormat, type PltMessage } from './platformatic-message';
import type { Scope } from './scope';

interface SendOptions {
  readonly messages: readonly PltMessage[];
}

/** What the brokers answer; nothing of it with `acks: 0`. */
interface SendResult {
  readonly offsets?: readonly { readonly partition: number; readonly offset: bigint }[];
}

type Callback = (this: unknown, error: unknown, result?: SendResult, ...rest: unknown[]) => unknown;
type SendArguments = [options: SendOptions, callback?: Callback, ...rest: unknown[]];

/** Wraps `send`, which transactions and streams of producers call too. */
export function patchProducer(prototype: object, scope: Scope): boolean {
  const known = new WeakMap<object, Sends>();
  const find = (producer: PltClient): Sends => {
    let sends = known.get(producer);
    if (sends === undefined) {
      sends = new Sends(producer, scope);
      known.set(producer, sends);
    }
    return sends;
  };
  return scope.wrap(prototype, 'send', (original) => {
    return function send(this: PltClient, ...args: SendArguments) {
      if (!scope.telemetry.isOn()) return original.apply(this, args);
      const call = scope.telemetry.guard('trace a send', undefined, () => find(this).start(args[0]));
      return call === undefined ? original.apply(this, args) : run(call, original, this, args);
    };
  });
}

/** A send that has begun, and what is to be handed to the client. */
interface Call {
  readonly operation: ActiveOperation;
  readonly options: SendOptions;
  readonly outcome: (result: SendResult) => Outcome;
}

class Sends {
  private readonly plans: TopicPlans;
  private readonly batchPlans: TopicPlans;
  private readonly createPlans: TopicPlans;
  private readonly formats: Formats<MessageWriter<PltMessage>>;
  private readonly topicFormat: PltFormat;

  constructor(
    producer: PltClient,
    private readonly scope: Scope,
  ) {
    const { telemetry, options } = scope;
    const client = clientFactsOf(producer);
    const form = headerFormOf(producer);
    this.plans = new TopicPlans(telemetry, client, sendFacts);
    this.batchPlans = new TopicPlans(telemetry, client, batchSendFacts);
    this.createPlans = new TopicPlans(telemetry, client, createFacts);
    this.formats = outgoingFormats(new PltFormat(options, form, false), scope.topics);
    this.topicFormat = new PltFormat(options, form, true);
  }

  /** Undefined for what the client will refuse, which then gets its argument as it is. */
  start(options: SendOptions): Call | undefined {
    const messages = messagesOf(options);
    const [first] = messages ?? [];
    if (messages === undefined || first === undefined) return undefined;
    const { telemetry } = this.scope;
    if (messages.length === 1) {
      const operation = telemetry.startSend(
        this.plans.of(first.topic, first.partition),
        first,
        this.formats.of(first.topic),
      );
      return operation && { operation, options: withMessages(options, [operation.message]), outcome: positionOf };
    }
    const isOneTopic = messages.every(({ topic }) => topic === first.topic);
    const operation = telemetry.startBatchSend(
      this.batchPlans.of(isOneTopic ? first.topic : undefined),
      messages,
      isOneTopic ? this.formats.of(first.topic) : this.topicFormat,
      (i) => this.createPlans.of(messages[i]?.topic, messages[i]?.partition),
    );
    return operation && { operation, options: withMessages(options, operation.messages), outcome: partitionOf };
  }
}

function messagesOf(options: SendOptions | undefined): readonly PltMessage[] | undefined {
  const given = options?.messages;
  if (!Array.isArray(given)) return undefined;
  const messages: PltMessage[] = [];
  // By index: the application's may be a batch that it was given, whose iteration has a meaning.
  for (let i = 0; i < given.length; i++) {
    const message: PltMessage | null | undefined = given[i];
    if (typeof message !== 'object' || message === null || typeof message.topic !== 'string') return undefined;
    messages.push(message);
  }
  return messages;
}

/** The client writes defaults into its options: into the copy then. */
function withMessages(options: SendOptions, messages: readonly PltMessage[]): SendOptions {
  return ownCopyOf(options, [], { messages });
}

/** Never inside the span's context: a connection that is opened meanwhile would keep it for its life. */
function run({ operation, options, outcome }: Call, original: AnyFunction, producer: PltClient, args: SendArguments) {
  const changed = [...args] as SendArguments;
  changed[0] = options;
  const [, callback] = args;
  if (typeof callback === 'function') {
    changed[1] = function (error, result, ...rest) {
      operation.guarded('end a send', () => {
        if (error) operation.fail(named(error));
        else operation.end(outcome(result ?? {}));
      });
      return callback.call(this, error, result, ...rest);
    };
  }
  let answer: unknown;
  try {
    answer = original.apply(producer, changed);
  } catch (error) {
    operation.fail(named(error));
    throw error;
  }
  if (typeof callback === 'function') return answer;
  if (isObservable<SendResult>(answer)) return operation.endWith(answer, outcome, named);
  operation.end();
  return answer;
}

const NOTHING: Outcome = {};

/** Where a single message went. */
function positionOf({ offsets }: SendResult): Outcome {
  const [position] = offsets ?? [];
  if (position === undefined) return NOTHING;
  const offset = Number(position.offset);
  return {
    attributes: {
      [semconv.ATTR_MESSAGING_DESTINATION_PARTITION_ID]: String(position.partition),
      [semconv.ATTR_KAFKA_OFFSET]: Number.isSafeInteger(offset) && offset >= 0 ? offset : undefined,
    },
  };
}

/** The partition that all messages went to, if it is one. */
function partitionOf({ offsets }: SendResult): Outcome {
  if (offsets?.length !== 1) return NOTHING;
  return { attributes: { [semconv.ATTR_MESSAGING_DESTINATION_PARTITION_ID]: String(offsets[0]?.partition) } };
}

/** The first error that says something, with the protocol's name for it as its type. */
function named(error: unknown): unknown {
  try {
    let current = error as { apiId?: unknown; errors?: readonly (typeof current)[]; code?: unknown };
    for (let depth = 0; depth < 5 && Array.isArray(current.errors) && current.errors[0]; depth++) {
      current = current.errors[0] as typeof current;
    }
    const type = current.apiId ?? current.code;
    return typeof type === 'string' ? Object.create(error as object, { type: { value: type } }) : error;
  } catch {
    return error; // no object, or one whose getters throw
  }
}
