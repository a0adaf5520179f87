/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const path = require('node:path');
const { context } = require('@opentelemetry/api');
const { startAmqpBroker } = require('./amqp-broker.cjs');
const { probe } = require('./probe.cjs');

const EXCHANGE = 'orders';
const ROUTING_KEY = 'order.created';
const CONTENT = Buffer.from('{"order":4711,"total":12.5}');
/** Messages that the broker confirms with one frame. */
const CONFIRM_EVERY = 8;

/** Nothing to stub before the instrumentations: the connection is replaced once it is open. */
function prepare() {}

/** The real wrapper over amqplib's real confirm channel, as in amqp.cjs. */
async function open({ ambient, tracing }) {
  const { connect } = require('amqp-connection-manager');
  const port = await startAmqpBroker(require(path.join(path.dirname(require.resolve('amqplib')), 'lib/defs.js')));
  const manager = connect([`amqp://bench:bench@127.0.0.1:${port}`], { heartbeatIntervalInSeconds: 0 });
  let channel;
  const wrapper = manager.createChannel({
    setup: async (confirmChannel) => {
      channel = confirmChannel;
    },
  });
  await wrapper.waitForConnect();
  cutOff(channel.connection);
  const publish = tracing === undefined ? plainPublish : tracing.publisher(port);
  return {
    publish: {
      messages: 1,
      run: (calls) => context.with(ambient, publishAll, undefined, publish, wrapper, channel, calls),
    },
  };
}

function plainPublish(wrapper, exchange, routingKey, content, options) {
  return wrapper.publish(exchange, routingKey, content, options);
}

async function publishAll(publish, wrapper, channel, calls) {
  let answer;
  for (let i = 1; i <= calls; i++) {
    answer = publish(wrapper, EXCHANGE, ROUTING_KEY, CONTENT, { persistent: true, messageId: 'order-4711' });
    if (i % CONFIRM_EVERY !== 0 && i !== calls) continue;
    channel.emit('ack', { deliveryTag: channel.lwm + channel.unconfirmed.length - 1, multiple: true });
    await answer;
  }
}

function cutOff(connection) {
  connection.sendMethod = () => {};
  connection.sendMessage = (_channel, _method, _fields, _properties, properties) => {
    if (probe.carriers !== undefined) probe.carriers.push(properties.headers ?? {});
    return true;
  };
}

module.exports = { prepare, open };
