/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deepFreeze, w3c } from '@otel-messaging/test-utils';
import { attributesMd5 } from '../src/attributes-md5';
import { askedBy, type ReceiveRequest } from '../src/received-attributes';

const OURS = ['traceparent', 'tracestate', 'baggage', '_datadog'];
const SYSTEM = ['AWSTraceHeader', 'SentTimestamp', 'ApproximateReceiveCount', 'DeadLetterQueueSourceArn'];

const extended = (
  request: ReceiveRequest,
  field: 'MessageSystemAttributeNames' | 'AttributeNames' = 'MessageSystemAttributeNames',
) => askedBy(deepFreeze(request), field).extended(request, w3c().fields());

test.each<[string, ReceiveRequest, ReceiveRequest]>([
  ['nothing', {}, { MessageAttributeNames: OURS, MessageSystemAttributeNames: SYSTEM }],
  [
    'All',
    { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] },
    { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] },
  ],
  [
    'a pattern for all',
    { MessageAttributeNames: ['.*'], AttributeNames: ['All'] },
    { MessageAttributeNames: ['.*'], AttributeNames: ['All'] },
  ],
  [
    'names',
    { MessageAttributeNames: ['a', 'baggage'] },
    {
      MessageAttributeNames: ['a', 'baggage', 'traceparent', 'tracestate', '_datadog'],
      MessageSystemAttributeNames: SYSTEM,
    },
  ],
  [
    'a prefix',
    { MessageAttributeNames: ['trace.*'] },
    { MessageAttributeNames: ['trace.*', 'baggage', '_datadog'], MessageSystemAttributeNames: SYSTEM },
  ],
  [
    'the older field',
    { AttributeNames: ['SentTimestamp'] },
    {
      MessageAttributeNames: OURS,
      AttributeNames: ['SentTimestamp', 'AWSTraceHeader', 'ApproximateReceiveCount', 'DeadLetterQueueSourceArn'],
    },
  ],
  [
    'both fields',
    { AttributeNames: ['SenderId'], MessageSystemAttributeNames: ['SentTimestamp'] },
    {
      AttributeNames: ['SenderId'],
      MessageAttributeNames: OURS,
      MessageSystemAttributeNames: [
        'SentTimestamp',
        'AWSTraceHeader',
        'ApproximateReceiveCount',
        'DeadLetterQueueSourceArn',
      ],
    },
  ],
  [
    'nulls',
    { MessageAttributeNames: null, MessageSystemAttributeNames: null },
    { MessageAttributeNames: OURS, MessageSystemAttributeNames: SYSTEM },
  ],
  [
    'what is no list',
    { MessageAttributeNames: 'All', MessageSystemAttributeNames: 7 },
    { MessageAttributeNames: 'All', MessageSystemAttributeNames: 7 },
  ],
])('who asks for %s gets more on the wire', (_, request, expected) => {
  expect(extended(request)).toEqual(expected);
});

test('a client that knows the older field alone is asked by it', () => {
  expect(extended({}, 'AttributeNames')).toEqual({ MessageAttributeNames: OURS, AttributeNames: SYSTEM });
});

test('what was not asked for is taken out of the message', () => {
  const message = {
    Body: 'one',
    Attributes: { SentTimestamp: '1', SenderId: 'me' },
    MessageAttributes: { traceparent: { DataType: 'String', StringValue: 'x' } },
    MD5OfMessageAttributes: 'of the one',
  };
  const asked = askedBy({ MessageSystemAttributeNames: ['SenderId'] }, 'MessageSystemAttributeNames');
  expect(asked.visible(deepFreeze(message))).toEqual({ Body: 'one', Attributes: { SenderId: 'me' } });
});

test('an attribute with the name __proto__ that was asked for stays, and counts in the checksum', () => {
  const attributes = (names: string) =>
    JSON.parse(`{${names.split(' ').map((name) => `"${name}":{"DataType":"String","StringValue":"x"}`)}}`);
  const asked = askedBy({ MessageAttributeNames: ['__proto__', 'a'] }, 'MessageSystemAttributeNames');
  const message = { MessageAttributes: attributes('__proto__ a traceparent'), MD5OfMessageAttributes: 'of all three' };
  const { MessageAttributes, MD5OfMessageAttributes } = asked.visible(deepFreeze(message));
  expect(Object.entries(MessageAttributes ?? {})).toEqual(Object.entries(attributes('__proto__ a')));
  expect(Object.getPrototypeOf(MessageAttributes)).toBe(Object.prototype);
  expect(MD5OfMessageAttributes).toBe(attributesMd5(attributes('__proto__ a')));
});

test('a message without attributes stays without', () => {
  const message = { Body: 'one' };
  expect(askedBy({}, 'MessageSystemAttributeNames').visible(message)).toBe(message);
});
