/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { inspect } from 'node:util';
import { forgetReceipt, note, Received, receivedAs, receivedBy, rememberReceipt } from '../src/received';

const received = (id: string) => new Received(id, undefined, undefined);

test('what is noted on a message is seen by nobody else', () => {
  const message = { Body: 'one' };
  const known = received('m');
  note(message, known);
  expect(receivedAs(message)).toBe(known);
  expect(Reflect.ownKeys(message)).toEqual(['Body']);
  expect(inspect(message, { showHidden: true })).toBe("{ Body: 'one' }");
  expect(receivedAs({ ...message })).toBeUndefined();
  expect(receivedAs(structuredClone(message))).toBeUndefined();
});

test('of a message that is delivered again the newest is known', () => {
  const message = { Body: 'one' };
  note(message, received('first'));
  const second = received('second');
  note(message, second);
  expect(receivedAs(message)).toBe(second);
});

test('a frozen message is left alone, and known by its receipt', () => {
  const message = Object.freeze({ ReceiptHandle: 'frozen' });
  const known = received('m');
  note(message, known);
  rememberReceipt('frozen', known);
  expect(receivedAs(message)).toBe(known);
  expect(receivedAs({ ...message })).toBe(known);
});

test('a receipt is known until its message is deleted', () => {
  rememberReceipt('a', received('a'));
  expect(receivedBy('a')?.messageId).toBe('a');
  forgetReceipt('a');
  expect(receivedBy('a')).toBeUndefined();
});

test('a thousand receipts are kept, the oldest go first', () => {
  for (let i = 0; i <= 1000; i++) rememberReceipt(`r${i}`, received(`m${i}`));
  expect(receivedBy('r0')).toBeUndefined();
  expect(receivedBy('r1')?.messageId).toBe('m1');
  expect(receivedBy('r1000')?.messageId).toBe('m1000');
});

test('a receipt that came again is not dropped with its older self', () => {
  rememberReceipt('again', received('first'));
  rememberReceipt('again', received('second'));
  for (let i = 0; i < 999; i++) rememberReceipt(`s${i}`, received(`${i}`));
  expect(receivedBy('again')?.messageId).toBe('second');
});

test.each([undefined, null, 7, 'text', {}, { ReceiptHandle: 7 }])('of %p nothing is known', (value) => {
  expect(receivedAs(value)).toBeUndefined();
});
