/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { dirname, join } from 'node:path';
import { applyInstrumentation } from '@otel-messaging/test-utils';
import type * as CallbackApi from 'amqplib/callback_api';
import { AmqpInstrumentation } from '../src';

type PromiseApi = typeof import('amqplib');
type Prototype = Record<string, unknown>;
type Model = {
  readonly Channel: { readonly prototype: Prototype };
  readonly ConfirmChannel: { readonly prototype: Prototype };
};

const folder = dirname(require.resolve('amqplib'));
const inner = (name: string) => require(join(folder, 'lib', name));

const base = inner('channel.js') as Model;
const models = [inner('channel_model.js'), inner('callback_model.js')] as readonly Model[];
const connecting = inner('connect.js') as Prototype;
const wrapper = require(join(dirname(require.resolve('amqp-connection-manager')), 'ChannelWrapper.js')) as {
  readonly default: { readonly prototype: Prototype };
};

/** Each patched function, as it was before anything patched it. */
export const doors = [
  { holder: connecting, name: 'connect' },
  ...['_rpc', 'acceptMessageFrame', 'allocate', 'closeBecause', 'toClosed', 'sendMessage', 'handleConfirm'].map(
    (name) => ({
      holder: base.Channel.prototype,
      name,
    }),
  ),
  ...models.flatMap(({ Channel, ConfirmChannel }) => [
    ...['publish', 'consume', 'get', 'ack', 'ackAll', 'nack', 'nackAll', 'reject', 'recover'].map((name) => ({
      holder: Channel.prototype,
      name,
    })),
    { holder: ConfirmChannel.prototype, name: 'publish' },
  ]),
  ...['publish', 'sendToQueue', 'consume', 'close'].map((name) => ({ holder: wrapper.default.prototype, name })),
].map(({ holder, name }) => ({ holder, name, original: holder[name] }));

/** One for all tests of a file, as in an application. */
export const instrumentation = new AmqpInstrumentation();
applyInstrumentation(instrumentation, require);

// Only now: these take hold of inner functions when they are loaded.
export const amqplib = require('amqplib') as PromiseApi;
export const connectionManager = require('amqp-connection-manager') as typeof import('amqp-connection-manager');
export const callbackApi = require('amqplib/callback_api') as typeof CallbackApi;
