/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { datadogFields, fieldsInBody } from '../src/envelope';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const LIMIT = 262_144;

const notification = (MessageAttributes: unknown, Message = 'text') =>
  JSON.stringify({ Type: 'Notification', Message, MessageAttributes });
const event = (detail: unknown) => JSON.stringify({ 'detail-type': 'order', detail });
const attribute = (Value: unknown, Type = 'String') => ({ Type, Value });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const datadog = JSON.stringify({ traceparent: TRACEPARENT, 'x-datadog-trace-id': '7' });

test.each([
  ['a notification', notification({ traceparent: attribute(TRACEPARENT) })],
  ['a notification, the name in capitals', notification({ TraceParent: attribute(TRACEPARENT) })],
  ['a notification, as Binary', notification({ traceparent: attribute(base64(TRACEPARENT), 'Binary') })],
  ['a notification, from Datadog', notification({ _datadog: attribute(datadog) })],
  ['a notification, from Datadog as Binary', notification({ _datadog: attribute(base64(datadog), 'Binary') })],
  ['a notification with spaces before it', ` \n${notification({ traceparent: attribute(TRACEPARENT) })}`],
  ['an event in a notification', notification({}, event({ _datadog: JSON.parse(datadog) }))],
  ['an event', event({ traceparent: TRACEPARENT })],
  ['an event, from Datadog', event({ _datadog: JSON.parse(datadog) })],
  ['an event, from Datadog as text', event({ _datadog: datadog })],
])('finds the context in %s', (_, body) => {
  expect(fieldsInBody(body, LIMIT)?.['traceparent']).toBe(TRACEPARENT);
});

test("a notification's own attribute wins over an event within it", () => {
  const other = TRACEPARENT.replace('b7', 'b8');
  const body = notification({ traceparent: attribute(TRACEPARENT) }, event({ traceparent: other }));
  expect(fieldsInBody(body, LIMIT)?.['traceparent']).toBe(TRACEPARENT);
});

test.each([
  ['no text', 7],
  ['undefined', undefined],
  ['plain text', 'hello'],
  ['JSON of another shape', JSON.stringify({ order: 1, traceparent: TRACEPARENT })],
  ['half of an envelope', '{"Type":"Notification"'],
  ['a list', '["Notification"]'],
  ['a text', '"Notification"'],
  ['an event without a detail', '{"detail-type":"x"}'],
  ['a type that is no text', '{"detail-type":7,"detail":{}}'],
])('finds nothing in %s', (_, body) => {
  expect(fieldsInBody(body, LIMIT)).toBeUndefined();
});

test('a body is parsed up to the limit and not beyond', () => {
  const body = notification({ traceparent: attribute(TRACEPARENT) });
  expect(fieldsInBody(body, body.length)).toBeDefined();
  expect(fieldsInBody(body, body.length - 1)).toBeUndefined();
  expect(fieldsInBody(body, 0)).toBeUndefined();
});

test('keys that mean something to JavaScript are names like any other', () => {
  const body =
    '{"Type":"Notification","MessageAttributes":{"__proto__":{"Type":"String","Value":"x"},"constructor":{"Type":"String","Value":"y"}}}';
  expect(() => fieldsInBody(body, LIMIT)).not.toThrow();
  expect(({} as Record<string, unknown>)['Value']).toBeUndefined();
});

test.each([
  ['nothing', undefined],
  ['no JSON', '{'],
  ['a number', '7'],
  ['far too much', `{"a":"${'x'.repeat(20_000)}"}`],
])("Datadog's fields: %s gives none", (_, text) => {
  expect(datadogFields(text)).toBeUndefined();
});
