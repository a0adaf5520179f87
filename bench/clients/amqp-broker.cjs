/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const net = require('node:net');

const PROTOCOL_HEADER_BYTES = 8;
const FRAME_OVERHEAD_BYTES = 8;

/**
 * A broker that knows the handshake and nothing else: enough for amqplib's real `connect`, `createChannel` and `consume`.
 * `defs` is amqplib's own codec.
 */
async function startAmqpBroker(defs) {
  const replies = new Map([
    [defs.ConnectionStartOk, [defs.ConnectionTune, { channelMax: 0, frameMax: 131072, heartbeat: 0 }]],
    [defs.ConnectionOpen, [defs.ConnectionOpenOk, { knownHosts: '' }]],
    [defs.ChannelOpen, [defs.ChannelOpenOk, { channelId: Buffer.alloc(0) }]],
    [defs.ConfirmSelect, [defs.ConfirmSelectOk, {}]],
    [defs.BasicConsume, [defs.BasicConsumeOk, { consumerTag: 'bench' }]],
  ]);
  const server = net.createServer((socket) => {
    let pending = Buffer.alloc(0);
    let greeted = false;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      pending = Buffer.concat([pending, data]);
      if (!greeted) {
        if (pending.length < PROTOCOL_HEADER_BYTES) return;
        pending = pending.subarray(PROTOCOL_HEADER_BYTES);
        greeted = true;
        socket.write(defs.encodeMethod(defs.ConnectionStart, 0, START));
      }
      for (;;) {
        if (pending.length < FRAME_OVERHEAD_BYTES) return;
        const length = FRAME_OVERHEAD_BYTES + pending.readUInt32BE(3);
        if (pending.length < length) return;
        const reply = replies.get(pending.readUInt32BE(7));
        if (reply !== undefined) socket.write(defs.encodeMethod(reply[0], pending.readUInt16BE(1), reply[1]));
        pending = pending.subarray(length);
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return server.address().port;
}

const START = {
  versionMajor: 0,
  versionMinor: 9,
  serverProperties: { product: 'RabbitMQ', version: '4.2.0', capabilities: { 'basic.nack': true } },
  mechanisms: Buffer.from('PLAIN AMQPLAIN'),
  locales: Buffer.from('en_US'),
};

module.exports = { startAmqpBroker };
