/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { deliveryOf, followIndex, letGoOfAllTaken, letGoOfTaken } from '../src';
import { type Message, pause, Rig } from './support';

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(async () => {
  letGoOfAllTaken();
  expect(rig.tracing.openSpans).toBe(0);
  await rig.tracing.stop();
});

/** The one message of a poll, in an array that is followed by index. */
function receivedOne(): Message[] {
  return rig.received([rig.sent()], undefined, followIndex);
}

/** Runs code in an asynchronous execution of its own, as the application's own are. */
const apart = <T>(code: () => Promise<T>) =>
  context.with(ROOT_CONTEXT, async () => {
    await pause();
    return code();
  });

const activeName = () => (trace.getActiveSpan() as { name?: string } | undefined)?.name;

test('a message that is read by its index is active until it is let go of', () =>
  apart(async () => {
    const messages = receivedOne();
    expect(activeName()).toBeUndefined();
    expect(messages[0]).toBeDefined();
    await pause();
    expect(activeName()).toBe('process orders');
    letGoOfTaken();
    expect(activeName()).toBeUndefined();
    await pause();
    expect(activeName()).toBeUndefined();
  }));

test('a settlement lets go of it, and is on its span', () =>
  apart(async () => {
    const [message] = receivedOne();
    await pause();
    expect(activeName()).toBe('process orders');
    deliveryOf(message)?.settle('delete');
    expect(activeName()).toBeUndefined();
    expect(rig.span('process orders').attributes['messaging.message.settlement']).toBe('delete');
  }));

test('a retry does not, since a deletion may follow', () =>
  apart(async () => {
    const [message] = receivedOne();
    deliveryOf(message)?.retry();
    await pause();
    expect(activeName()).toBe('process orders');
    letGoOfTaken();
    expect(rig.span('process orders').attributes['messaging.message.settlement']).toBe('retry');
  }));

test('a read that nothing asks for a span after makes none', () =>
  apart(async () => {
    expect(JSON.stringify(receivedOne())).toContain('{');
    await pause();
    letGoOfTaken();
    expect(rig.tracing.spans().filter(({ name }) => name.startsWith('process'))).toEqual([]);
  }));

test('who has taken nothing lets go of nothing', async () => {
  let goOn = () => {};
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const taking = apart(async () => {
    const messages = receivedOne();
    expect(messages[0]).toBeDefined();
    await waiting;
    return activeName();
  });
  await apart(async () => letGoOfTaken());
  goOn();
  expect(await taking).toBe('process orders');
});

test.each([
  ['of two', () => [rig.sent(), rig.sent()]],
  ['that is followed in another way', () => rig.received([rig.sent()])],
  ['that is frozen', () => Object.freeze([rig.sent()]) as Message[]],
])('an array %s keeps its messages as they are', (_, make) => {
  const messages = rig.received(make(), undefined, followIndex);
  expect(Object.getOwnPropertyDescriptor(messages, 0)).not.toHaveProperty('get');
});
