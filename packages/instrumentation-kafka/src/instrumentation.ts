/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  InstrumentationNodeModuleDefinition,
  MessagingInstrumentation,
  type MessagingInstrumentationConfig,
  moduleFile,
  nestModule,
} from '@otel-messaging/messaging-common';
import { isPatched, KAFKAJS_FILE, type KafkaClass, patchKafka, remembering } from './clients/kafkajs';
import { nativeDefinitions } from './clients/native';
import { Platformatic } from './clients/platformatic';
import type { Means } from './clients/scope';
import type { MessageOptions } from './message';
import type { RetryOptions, RetryTopicOf } from './retry-topics';
import { VERSION } from './version';

/** Options of `KafkaInstrumentation`, besides those that every messaging instrumentation has. */
export interface KafkaInstrumentationConfig extends MessagingInstrumentationConfig {
  /** Records message keys, as `kafka.message.key`; keys are often personal data. Default: false. */
  captureMessageKey?: boolean;
  /**
   * Whether messages of retry and dead-letter topics say how often they were tried, and where they died. Topics are told by
   * their names (`orders.retry.1`, `orders-dlq`); a function says it of others. Default: true.
   */
  retryTopics?: boolean | RetryTopicOf;
}

type Options = MessageOptions & RetryOptions;

/** The package's exports, or its namespace where an ES module imports it. */
interface KafkaModule {
  readonly Kafka?: KafkaClass;
  readonly default?: { readonly Kafka?: KafkaClass };
}

const KAFKAJS_VERSIONS = ['>=1.9.0 <3'];

/** Traces of messages through Kafka, for `kafkajs`, `@confluentinc/kafka-javascript`, `node-rdkafka` and `@platformatic/kafka`. */
export class KafkaInstrumentation extends MessagingInstrumentation<KafkaInstrumentationConfig> {
  // Made on first use: the base class's constructor calls `init()` before this class's fields exist.
  declare private lazyOptions: Options | undefined;
  declare private platformatic: Platformatic | undefined;

  constructor(config: KafkaInstrumentationConfig = {}) {
    super('@otel-messaging/instrumentation-kafka', VERSION, config);
  }

  protected override init(): InstrumentationNodeModuleDefinition[] {
    // All copies of the package: the base class remembers the last one only, for `enable()`.
    const kafkaClasses = new Set<KafkaClass>();
    const patch = (exports: unknown) =>
      this.telemetry.guard('patch kafkajs', exports, () => {
        // A namespace if an ES module imports this very file.
        const kafkaClass = typeof exports === 'function' ? exports : (exports as { default?: unknown }).default;
        if (typeof kafkaClass !== 'function') return exports;
        for (const known of kafkaClasses.add(kafkaClass as KafkaClass)) {
          patchKafka(known, this.patches, this.telemetry, this.messageOptions);
        }
        return exports === kafkaClass ? remembering(kafkaClass as KafkaClass, this.telemetry) : exports;
      });
    const file = moduleFile(KAFKAJS_FILE, KAFKAJS_VERSIONS, patch);
    const check = (exports: KafkaModule) => {
      // Once every instrumentation has had its turn with the module: some take off what others put on.
      queueMicrotask(() => {
        this.telemetry.guard('check kafkajs', undefined, () => this.warnUnlessAttached(exports));
      });
      return exports;
    };
    return [
      new InstrumentationNodeModuleDefinition('kafkajs', KAFKAJS_VERSIONS, check, undefined, [file]),
      nestModule(this.patches, this.telemetry),
      ...nativeDefinitions(() => this.means),
    ];
  }

  private warnUnlessAttached(exports: KafkaModule): void {
    const kafkaClass = exports.Kafka ?? exports.default?.Kafka;
    if (kafkaClass === undefined || !this.isEnabled() || isPatched(kafkaClass, this.patches)) return;
    this.telemetry.diag.warn(
      'kafkajs is not traced by @otel-messaging/instrumentation-kafka: another instrumentation traces it, ' +
        'or it was loaded too early or out of a bundle',
    );
  }

  private get means(): Means {
    return { patches: this.patches, telemetry: this.telemetry, options: this.messageOptions };
  }

  override enable(): void {
    super.enable();
    this.platformatic ??= new Platformatic(this.means);
    this.platformatic.enable();
  }

  protected override settlesByRequest(): boolean {
    return false;
  }

  override setConfig(config: KafkaInstrumentationConfig): void {
    super.setConfig(config);
    if (this.lazyOptions !== undefined) Object.assign(this.lazyOptions, this.currentOptions());
  }

  /** One object for all clients, so that they see what is changed in it. */
  private get messageOptions(): Options {
    this.lazyOptions ??= this.currentOptions();
    return this.lazyOptions;
  }

  private currentOptions(): Options {
    const { captureMessageKey, retryTopics } = this.getConfig();
    return {
      captureMessageKey: captureMessageKey === true,
      retryTopics: typeof retryTopics === 'function' ? retryTopics : retryTopics !== false,
      captureBodySize: this.telemetry.config.captureBodySize,
    };
  }
}
