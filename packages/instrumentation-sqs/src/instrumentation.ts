/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type AnyFunction,
  type AwaitedModule,
  BoundedMap,
  InstrumentationNodeModuleDefinition,
  letGoOfAllTaken,
  MessagingInstrumentation,
} from '@otel-messaging/messaging-common';
import { BaseClients, behindDoor, isInstrumented } from './base-clients';
import { type Service, tracedSend } from './client';
import { resolveOptions, type SqsInstrumentationConfig, type SqsOptions } from './config';
import { wrapSqsHandler } from './lambda';
import { handlerDefinition, handlerPlace } from './lambda-module';
import { regionOfUrl, serverOfUrl } from './operations';
import { setHelperSource } from './process';
import { Queue } from './queue';
import type { SystemNamesField } from './received-attributes';
import { snsService } from './sns-service';
import type { Topic } from './sns-topic';
import { CONSUMER_VERSIONS, patchConsumer } from './sqs-consumer';
import { sqsService } from './sqs-service';
import { VERSION } from './version';

/** What is used of the modules: `SQSClient`, `SNSClient`. */
type AwsModule = Readonly<Record<string, { readonly prototype: object } | undefined>>;

/** What is used of the module `sqs-consumer`. */
interface ConsumerModule {
  readonly Consumer?: { readonly prototype: object };
}

/**
 * Instruments `@aws-sdk/client-sqs` and `@aws-sdk/client-sns`: `SQSClient` and `SNSClient`, and the aggregated `SQS` and
 * `SNS`, whose methods end in the same `send`; and `sqs-consumer`, which is built on it.
 */
export class SqsInstrumentation extends MessagingInstrumentation<SqsInstrumentationConfig> {
  // The base class calls `init` before fields of this class exist.
  declare private lazyOptions: { readonly config: SqsInstrumentationConfig; readonly options: SqsOptions } | undefined;
  declare private lazyBaseClients: BaseClients | undefined;
  declare private lazyQueue: Queue | undefined;
  declare private lazyQueues: BoundedMap<string, Queue> | undefined;

  constructor(config: SqsInstrumentationConfig = {}) {
    super('@otel-messaging/instrumentation-sqs', VERSION, config);
    setHelperSource(this);
  }

  protected override init() {
    const place = handlerPlace(process.env);
    return [
      ...(place ? [handlerDefinition(place, wrapSqsHandler, (text) => this._diag.warn(text))] : []),
      new InstrumentationNodeModuleDefinition('@aws-sdk/client-sqs', VERSIONS, (module, version) =>
        this.patch(module, 'SQSClient', this.sqs(systemNamesField(version)), version),
      ),
      new InstrumentationNodeModuleDefinition('@aws-sdk/client-sns', VERSIONS, (module, version) =>
        this.patch(module, 'SNSClient', this.sns(), version),
      ),
      ...this.baseClients.definitions(),
      new InstrumentationNodeModuleDefinition('sqs-consumer', CONSUMER_VERSIONS, (module, version) =>
        this.patchConsumer(module, version),
      ),
    ];
  }

  protected override settlesByRequest(): boolean {
    return true;
  }

  protected override isTraced(module: AwaitedModule): boolean {
    return super.isTraced(module) || this.baseClients.isEnoughFor(module.name);
  }

  override disable(): void {
    letGoOfAllTaken();
    super.disable();
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
  queueAt(url: string | undefined): Queue {
    if (url === undefined) return this.unknownQueue;
    this.lazyQueues ??= new BoundedMap(1000);
    const facts = { url, server: serverOfUrl(url), region: regionOfUrl(url) };
    return this.lazyQueues.get(url) ?? this.lazyQueues.add(url, new Queue(this.telemetry, this.options, facts));
  }

  get lambdaFlushMs(): number {
    return this.options.lambdaFlushMs;
  }

  private patchConsumer(module: ConsumerModule, version: string | undefined): ConsumerModule {
    const prototype = module?.Consumer?.prototype;
    const isPatched =
      prototype !== undefined && patchConsumer(prototype, this.patches, this.telemetry, (url) => this.queueAt(url));
    if (!isPatched) this._diag.warn(`sqs-consumer ${version} is not as known: its handlers may be traced in part`);
    return module;
  }

  private patch<Place>(
    module: AwsModule,
    client: 'SQSClient' | 'SNSClient',
    service: Service<Place>,
    version: string | undefined,
  ): AwsModule {
    const prototype = module?.[client]?.prototype;
    const isPatched =
      prototype !== undefined &&
      this.patches.add(prototype, 'send', (original) => {
        const inner = behindDoor(original);
        const isShared = isInstrumented(inner);
        return this.traced(service, inner, () => isShared);
      });
    this.baseClients.forget();
    if (!isPatched) this._diag.warn(`there is no ${client} ${version} to instrument: its messages are not traced`);
    return module;
  }

  private get baseClients(): BaseClients {
    this.lazyBaseClients ??= new BaseClients(this.patches, {
      // The client's version is not known here, and each takes the older name.
      SQSClient: (original, isShared) => this.traced(this.sqs('AttributeNames'), original, isShared),
      SNSClient: (original, isShared) => this.traced(this.sns(), original, isShared),
    });
    return this.lazyBaseClients;
  }

  private sqs(systemField: SystemNamesField): Service<Queue> {
    return sqsService(this.telemetry, () => this.options, systemField);
  }

  private sns(): Service<Topic> {
    return snsService(this.telemetry, () => this.options);
  }

  private traced<Place>(service: Service<Place>, original: AnyFunction, isShared: () => boolean): AnyFunction {
    return tracedSend(this.telemetry, () => this.options, service, original, isShared);
  }

  /** The same object for as long as the configuration is the same. */
  private get options(): SqsOptions {
    const config = this.getConfig();
    if (this.lazyOptions?.config !== config) this.lazyOptions = { config, options: resolveOptions(config) };
    return this.lazyOptions.options;
  }
}

const VERSIONS = ['>=3.300.0 <4'];

/** Clients before 3.572 know `MessageSystemAttributeNames` by its older name alone. */
function systemNamesField(version: string | undefined): SystemNamesField {
  const [, minor] = /^3\.(\d+)\./.exec(version ?? '') ?? [];
  return minor !== undefined && Number(minor) < 572 ? 'AttributeNames' : 'MessageSystemAttributeNames';
}
