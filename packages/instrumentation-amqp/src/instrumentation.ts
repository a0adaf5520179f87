/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import {
  type AnyFunction,
  InstrumentationNodeModuleDefinition,
  MessagingInstrumentation,
  type MessagingInstrumentationConfig,
  moduleFile,
  nestModule,
} from '@otel-messaging/messaging-common';
import type { ChannelModule, Connection, ConnectModule } from './amqplib';
import { _rpc, closeConnection } from './callbacks';
import { Channels } from './channels';
import { allocate, closeBecause, toClosed } from './closing';
import { handleConfirm } from './confirms';
import { type ChannelWrapperModule, ChannelWrappers } from './connection-manager';
import { consume } from './consumer';
import { get, getWithCallback } from './get';
import { publish, publishConfirmed, sendMessage } from './producer';
import { createVhost, type VhostModule } from './rascal';
import { acceptMessageFrame } from './returns';
import { serverOf } from './server';
import { ack, ackAll, nack, nackAll, recover, reject } from './settlement';
import { beneath, isPatchedByUpstream } from './upstream';
import { VERSION } from './version';

/** Options of {@link AmqpInstrumentation}; every messaging instrumentation has the same. */
export type AmqpInstrumentationConfig = MessagingInstrumentationConfig;

type Patch = (channels: Channels, original: AnyFunction) => AnyFunction;

const SUPPORTED = ['>=0.8.0 <3'];
const SUPPORTED_MANAGERS = ['>=3.0.0 <6'];
const SUPPORTED_RASCALS = ['>=14.0.0 <22'];
/** Where `amqp-connection-manager` has had its `ChannelWrapper`: as CommonJS, as ES module, and up to 3.2. */
const WRAPPER_FILES = ['dist/cjs/ChannelWrapper.js', 'dist/esm/ChannelWrapper.js', 'lib/ChannelWrapper.js'];
/** What the promise and the callback API have in common. */
const CHANNEL_PATCHES: Readonly<Record<string, Patch>> = { consume, ack, ackAll, nack, nackAll, reject, recover };

/**
 * Traces messages that go through RabbitMQ by amqplib 0.8 to 2.x, by promises and by callbacks. Patches the
 * classes inside of amqplib, which it loads with `require` for ES modules too.
 */
export class AmqpInstrumentation extends MessagingInstrumentation<AmqpInstrumentationConfig> {
  // Used by the base class's constructor, before fields of this class exist.
  declare private lazyChannels: Channels | undefined;

  constructor(config: AmqpInstrumentationConfig = {}) {
    super('@otel-messaging/instrumentation-amqp', VERSION, config);
  }

  /** Ends the spans that wait for a settlement or a confirm as well: what ends them is not seen any more. */
  override disable(): void {
    super.disable();
    this.lazyChannels?.abandonAll();
  }

  protected override init(): InstrumentationNodeModuleDefinition[] {
    const file = (name: string, patch: (exports: never) => void) => moduleFile(`amqplib/lib/${name}`, SUPPORTED, patch);
    const wrapperFile = (name: string) =>
      moduleFile(`amqp-connection-manager/${name}`, SUPPORTED_MANAGERS, (exports: ChannelWrapperModule) =>
        this.patchWrapper(exports),
      );
    return [
      new InstrumentationNodeModuleDefinition('amqplib', SUPPORTED, undefined, undefined, [
        file('connect.js', (exports: ConnectModule) => this.patchConnect(exports)),
        file('channel.js', (exports: ChannelModule) => this.patchBase(exports)),
        file('channel_model.js', (exports: ChannelModule) => this.patchModel(exports, get)),
        file('callback_model.js', (exports: ChannelModule) => this.patchModel(exports, getWithCallback)),
      ]),
      new InstrumentationNodeModuleDefinition(
        'amqp-connection-manager',
        SUPPORTED_MANAGERS,
        undefined,
        undefined,
        WRAPPER_FILES.map(wrapperFile),
      ),
      new InstrumentationNodeModuleDefinition('rascal', SUPPORTED_RASCALS, undefined, undefined, [
        moduleFile('rascal/lib/amqp/Vhost.js', SUPPORTED_RASCALS, (exports: VhostModule) => {
          this.patches.add(exports, 'create', (original) => createVhost(this.telemetry, original));
        }),
      ]),
      nestModule(this.patches, this.telemetry),
    ];
  }

  /** The broker's confirms are requests of their own; a settlement is a frame that nobody answers. */
  protected override settlesByRequest(): boolean {
    return false;
  }

  private get channels(): Channels {
    this.lazyChannels ??= new Channels(this.telemetry);
    return this.lazyChannels;
  }

  private patchConnect(connectModule: ConnectModule): void {
    const { channels } = this;
    this.patches.add(connectModule, 'connect', (original) => {
      return function connect(this: unknown, ...args: unknown[]) {
        const [url, socketOptions, openCallback] = args;
        if (typeof openCallback !== 'function') return original.apply(this, args);
        return original.call(this, url, socketOptions, (error: unknown, connection: Connection, ...rest: unknown[]) => {
          channels.telemetry.guard('note a connection', undefined, () => {
            if (connection) channels.connected(connection, serverOf(url));
          });
          return openCallback(error, connection, ...rest);
        });
      };
    });
  }

  private patchBase({ Channel }: ChannelModule): void {
    this.patch(Channel.prototype, {
      _rpc,
      acceptMessageFrame,
      allocate,
      closeBecause,
      toClosed,
      sendMessage,
      handleConfirm,
    });
  }

  private patchModel({ Channel, ConfirmChannel, CallbackModel }: ChannelModule, getOfModel: Patch): void {
    if (CallbackModel !== undefined) {
      this.patches.add(CallbackModel.prototype, 'close', (original: AnyFunction) =>
        closeConnection(this.telemetry, original),
      );
    }
    const isConfirmChannel = (channel: unknown) => channel instanceof ConfirmChannel;
    const isSuperseding = isPatchedByUpstream(Channel.prototype);
    this.patch(
      Channel.prototype,
      {
        ...CHANNEL_PATCHES,
        get: getOfModel,
        publish: (channels, original) => publish(channels, isConfirmChannel, original),
      },
      isSuperseding,
    );
    this.patch(ConfirmChannel.prototype, { publish: publishConfirmed }, isSuperseding);
    this.channels.seesPublishes = true;
  }

  private patchWrapper({ default: ChannelWrapper }: ChannelWrapperModule): void {
    const wrappers = new ChannelWrappers(this.channels);
    for (const name of ['publish', 'sendToQueue', 'consume', 'close'] as const) {
      this.patches.add(ChannelWrapper.prototype, name, (original: AnyFunction) => wrappers[name](original));
    }
  }

  private patch(prototype: object, patches: Readonly<Record<string, Patch>>, isSuperseding = false): void {
    const { channels } = this;
    for (const [name, wrap] of Object.entries(patches)) {
      this.patches.add(prototype, name, (original: AnyFunction) =>
        wrap(channels, isSuperseding ? beneath(original) : original),
      );
    }
  }
}
