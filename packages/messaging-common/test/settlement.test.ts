/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { OpenDeliveries, type ProcessOperation, type TagMap } from '../src';
import { AT_SETTLEMENT, PROMISE, pause, Rig, reader } from './support';

let rig: Rig;
let open: OpenDeliveries;

beforeEach(() => {
  rig = new Rig();
  open = new OpenDeliveries();
});

afterEach(async () => {
  expect(rig.tracing.openSpans).toBe(0);
  await rig.tracing.stop();
});

/** Delivers messages with these tags to a handler that returns at once. */
function deliver(...tags: number[]): void {
  for (const tag of tags) {
    const operation = rig.telemetry.startProcess(rig.plan('process'), { facts: { id: String(tag) } }, reader);
    if (operation === undefined) throw new Error('not started');
    open.add(tag, operation);
    operation.handle(AT_SETTLEMENT, () => {}, undefined);
  }
}

const settled = () =>
  Object.fromEntries(
    rig
      .spans('process orders')
      .map(({ attributes }) => [
        attributes['messaging.message.id'],
        attributes['messaging.message.settlement'] ?? 'none',
      ]),
  );

test('a settlement ends the one it names', () => {
  deliver(1, 2, 3);
  open.settle(2, 'ack');
  expect(settled()).toEqual({ 2: 'ack' });
  open.close();
});

test('a settlement of an unknown tag, or a second one, does nothing', () => {
  deliver(1);
  open.settle(7, 'ack');
  open.settle(1, 'nack');
  open.settle(1, 'ack');
  expect(settled()).toEqual({ 1: 'nack' });
});

test.each([
  [0, []],
  [1, ['1']],
  [2, ['1', '2']],
  [5, ['1', '2', '4']],
])('all up to %d are %j', (tag, expected) => {
  deliver(1, 2, 4, 6);
  expect(open.settleUpTo(tag, 'ack')).toBe(expected.length);
  expect(Object.keys(settled())).toEqual(expected);
  open.close();
});

test('all at once', () => {
  deliver(1, 2);
  expect(open.settleAll('nack')).toBe(2);
  expect(settled()).toEqual({ 1: 'nack', 2: 'nack' });
  expect(open.size).toBe(0);
});

test('closing ends what is left, without a settlement', () => {
  deliver(1, 2);
  open.close();
  expect(settled()).toEqual({ 1: 'none', 2: 'none' });
  expect(open.size).toBe(0);
});

test('closing by an error marks what is left', () => {
  deliver(1);
  open.close(new RangeError('gone'));
  expect(rig.span('process orders').attributes['error.type']).toBe('RangeError');
});

test('a handler that is over without a settlement is forgotten', async () => {
  const operation = rig.telemetry.startProcess(rig.plan('process'), {}, reader);
  if (operation === undefined) throw new Error('not started');
  open.add(1, operation);
  await operation.handle(PROMISE, () => pause(), undefined);
  expect(open.size).toBe(0);
});

test('a delivery that will not be settled can be forgotten', () => {
  deliver(1);
  const operation = (open as unknown as { open: TagMap<ProcessOperation> }).open.get(1);
  open.forget(1);
  open.settle(1, 'ack');
  operation?.end();
  expect(settled()).toEqual({ 1: 'none' });
});
