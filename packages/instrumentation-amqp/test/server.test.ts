/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { peerOf, serverOf } from '../src/server';

describe('the broker that connect() names', () => {
  test.each([
    ['a host and a port', 'amqp://rabbit.example:5673', 'rabbit.example', 5673],
    ['no port', 'amqp://rabbit.example', 'rabbit.example', 5672],
    ['TLS without a port', 'amqps://rabbit.example', 'rabbit.example', 5671],
    ['credentials and a virtual host', 'amqp://user:secret@rabbit.example/orders', 'rabbit.example', 5672],
    ['a password with an at sign', 'amqp://user:p@ss@rabbit.example', 'rabbit.example', 5672],
    ['a password with a colon', 'amqp://user:pa:ss@rabbit.example', 'rabbit.example', 5672],
    ['an IPv6 address', 'amqp://user:secret@[::1]:5673/', '::1', 5673],
    ['query parameters', 'amqp://rabbit.example?heartbeat=5', 'rabbit.example', 5672],
    ['nothing', undefined, 'localhost', 5672],
    ['false, as the callback API gives it', false, 'localhost', 5672],
    ['parts', { hostname: 'rabbit.example', port: 5673, username: 'user', password: 'secret' }, 'rabbit.example', 5673],
    ['parts with TLS', { protocol: 'amqps', hostname: 'rabbit.example' }, 'rabbit.example', 5671],
    ['parts without a host', { password: 'secret' }, 'localhost', 5672],
    ['a port that is text', { hostname: 'rabbit.example', port: '5673' }, 'rabbit.example', 5673],
  ])('%s', (_, url, address, port) => {
    expect(serverOf(url)).toEqual({ address, port });
  });

  test.each([
    ['a password with a slash', 'amqp://user:12/secret@rabbit.example'],
    ['a password with a question mark', 'amqp://user:1?secret@rabbit.example'],
    ['a password with a hash', 'amqp://user#secret@rabbit.example'],
    ['a password that looks like a port, then a slash', 'amqp://secret:5672/x@rabbit.example:5672'],
    ['no URL', 'secret'],
    ['a number', 5672],
  ])('is not told by %s, lest a piece of the credentials is', (_, url) => {
    expect(serverOf(url)).toBeUndefined();
  });
});

test.each([
  ['a socket', { remoteAddress: '10.0.0.1', remotePort: 5672 }, { address: '10.0.0.1', port: 5672 }],
  ['a closed socket', {}, undefined],
  ['a stream of the application', { remoteAddress: {} }, undefined],
  ['no stream', undefined, undefined],
])('the other end of %s', (_, stream, expected) => {
  expect(peerOf({ stream })).toEqual(expected);
});
