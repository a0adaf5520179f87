/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  BoundedMap,
  InstrumentationNodeModuleDefinition,
  MessagingInstrumentation,
} from '@otel-messaging/messaging-common';
import { tracedSend } from './client';
import { resolveOptions, type SqsInstrumentationConfig, type SqsOptions } from './config';
import { regionOfUrl, serverOfUrl } from './operations';
import { setHelperSource } from './process';
import { Queue } from './queue';
import { CONSUMER_VERSIONS, patchConsumer } from './sqs-consumer';
import { VERSION } from './version';

/** What is used of the module `@aws-sdk/client-sqs`. */
interface SqsModule {
  readonly SQSClient?: { readonly prototype: object };
}

/** What is used of the module `sqs-consumer`. */
interface ConsumerModule {
  readonly Consumer?: { readonly prototype: object };
}

/**
 * Instruments `@aws-sdk/client-sqs`: `SQSClient`, and the aggregated `SQS`, whose methods end in the same `send`; and
 * `sqs-consumer`, which is built on it.
 */
export class SqsInstrumentation extends MessagingInstrumentation<SqsInstrumentationConfig> {
  // The base class calls `init` before fields of this class exist.
  declare private lazyOptions: { readonly config: SqsInstrumentationConfig; readonly options: SqsOptions } | undefined;
  declare private lazyQueue: Queue | undefined;
  declare private lazyQueues: BoundedMap<string, Queue> | undefined;

  constructor(config: SqsInstrumentationConfig = {}) {
    super('@otel-messaging/instrumentation-sqs', VERSION, config);
    setHelperSource(this);
  }

  protected override init() {
    return [
      new InstrumentationNodeModuleDefinition('@aws-sdk/client-sqs', ['>=3.300.0 <4'], (module, version) =>
        this.patch(module, version),
      ),
      new InstrumentationNodeModuleDefinition('sqs-consumer', CONSUMER_VERSIONS, (module, version) =>
        this.patchConsumer(module, version),
      ),
    ];
  }

  protected override settlesByRequest(): boolean {
    return true;
  }

  override setConfig(config: SqsInstrumentationConfig): void {
    super.setConfig(config);
    this.lazyQueue = undefined;
    this.lazyQueues = undefined;
  }

  /** For messages whose queue is not known. */
  get unknownQueue(): Queue {
    this.lazyQueue ??= new Queue(this.telemetry, this.options, {});
    return this.lazyQueue;
  }

  /** A queue that no client has told of, by its URL. */
  private queueAt(url: unknown): Queue {
    if (typeof url !== 'string') return this.unknownQueue;
    this.lazyQueues ??= new BoundedMap(1000);
    const facts = { url, server: serverOfUrl(url), region: regionOfUrl(url) };
    return this.lazyQueues.get(url) ?? this.lazyQueues.add(url, new Queue(this.telemetry, this.options, facts));
  }

  private patchConsumer(module: ConsumerModule, version: string | undefined): ConsumerModule {
    const prototype = module?.Consumer?.prototype;
    const isPatched =
      prototype !== undefined && patchConsumer(prototype, this.patches, this.telemetry, (url) => this.queueAt(url));
    if (!isPatched) this._diag.warn(`sqs-consumer ${version} is not as known: its handlers may be traced in part`);
    return module;
  }

  private patch(module: SqsModule, version: string | undefined): SqsModule {
    const prototype = module?.SQSClient?.prototype;
    const isPatched =
      prototype !== undefined &&
      this.patches.add(prototype, 'send', (original) =>
        tracedSend(this.telemetry, () => this.options, systemNamesField(version), original),
      );
    if (!isPatched) {
      this._diag.warn(`@aws-sdk/client-sqs ${version} has no SQSClient to instrument: its messages are not traced`);
    }
    return module;
  }

  /** The same object for as long as the configuration is the same. */
  private get options(): SqsOptions {
    const config = this.getConfig();
    if (this.lazyOptions?.config !== config) this.lazyOptions = { config, options: resolveOptions(config) };
    return this.lazyOptions.options;
  }
}

/** Clients before 3.572 know `MessageSystemAttributeNames` by its older name alone. */
function systemNamesField(version: string | undefined) {
  const [, minor] = /^3\.(\d+)\./.exec(version ?? '') ?? [];
  return minor !== undefined && Number(minor) < 572 ? 'AttributeNames' : 'MessageSystemAttributeNames';
}
