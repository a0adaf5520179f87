/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, trace } from '@opentelemetry/api';
import { deliveryOf } from '../src';
import type { BatchSetting } from '../src/batch-process-operation';
import { applicationWork, type Message, pause, Rig, reader } from './support';

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(async () => {
  expect(rig.tracing.openSpans).toBe(0);
  expect(rig.reports).toEqual([]);
  await rig.tracing.stop();
});

const ms = ([seconds, nanoseconds]: readonly [number, number] | readonly number[]) =>
  seconds! * 1000 + nanoseconds! / 1e6;

function batchOf(messages: Message[], setting?: BatchSetting) {
  const plan = rig.plan('process', { isBatch: true });
  const operation = rig.telemetry.startBatchProcess(plan, messages, reader, rig.plan('process'), setting);
  if (operation === undefined) throw new Error('not started');
  return operation;
}

describe('an operation that is held', () => {
  test('ends when it is let go, at the time that its work was over', async () => {
    const [message] = rig.received([rig.sent()]);
    const operation = deliveryOf(message)!.begin(message)!;
    operation.hold();
    operation.handleBody(applicationWork, undefined, []);
    operation.activeSpan();
    operation.end();
    const overMs = Date.now();
    await pause();
    await pause();
    expect(rig.spans('process orders')).toEqual([]);
    operation.settle('delete');
    operation.conclude();
    const span = rig.span('process orders');
    expect(span.attributes['messaging.message.settlement']).toBe('delete');
    expect(ms(span.endTime)).toBeLessThanOrEqual(overMs + 1);
  });

  test('is the parent of what its client does in its context meanwhile', () => {
    const [message] = rig.received([rig.sent()]);
    const operation = deliveryOf(message)!.begin(message)!;
    operation.hold();
    operation.activeSpan();
    operation.end();
    expect(operation.isOver()).toBe(false);
    operation.conclude();
    expect(operation.isOver()).toBe(true);
  });

  test('keeps the error of its work, whatever is said of it later', () => {
    const [message] = rig.received([rig.sent()]);
    const operation = deliveryOf(message)!.begin(message)!;
    operation.hold();
    operation.fail(new RangeError('no stock'));
    operation.fail(new TypeError('later'));
    operation.conclude({
      error: new TypeError('later still'),
      attributes: { 'messaging.message.settlement': 'retry' },
    });
    const { attributes } = rig.span('process orders');
    expect(attributes).toMatchObject({ 'error.type': 'RangeError', 'messaging.message.settlement': 'retry' });
  });

  test('keeps the settlement that was seen, whatever is said of it later', () => {
    const [message] = rig.received([rig.sent()]);
    const operation = deliveryOf(message)!.begin(message)!;
    operation.hold();
    operation.settle('delete');
    operation.end();
    operation.conclude({
      error: new RangeError('no stock'),
      attributes: { 'messaging.message.settlement': 'retry' },
    });
    const { attributes } = rig.span('process orders');
    expect(attributes).toMatchObject({ 'error.type': 'RangeError', 'messaging.message.settlement': 'delete' });
  });

  test('ends by itself if it is let go before its work is over', () => {
    const [message] = rig.received([rig.sent()]);
    const operation = deliveryOf(message)!.begin(message)!;
    operation.hold();
    operation.activeSpan();
    operation.conclude();
    expect(rig.spans('process orders')).toEqual([]);
    operation.end();
    expect(rig.spans('process orders')).toHaveLength(1);
  });

  test('has no span for having been held, or for holding what has ended', () => {
    const [message] = rig.received([rig.sent()]);
    const operation = deliveryOf(message)!.begin(message)!;
    operation.hold();
    operation.leave(false, false);
    operation.conclude();
    expect(rig.spans('process orders')).toEqual([]);
    const pushed = rig.telemetry.startProcess(rig.plan('process'), rig.sent(), reader)!;
    pushed.end();
    pushed.hold();
    pushed.conclude();
    expect(rig.spans('process orders')).toHaveLength(1);
  });

  test('of a pushed message, whose times are the SDK’s, ends at the time of its work as well', async () => {
    const operation = rig.telemetry.startProcess(rig.plan('process'), rig.sent(), reader)!;
    operation.hold();
    operation.end();
    const overMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    operation.conclude();
    expect(ms(rig.span('process orders').endTime)).toBeLessThanOrEqual(overMs + 1);
  });
});

describe('a batch that holds its messages', () => {
  test('says of each what became of it', async () => {
    const messages = [rig.sent(), rig.sent()];
    const batch = batchOf(messages, { holdsMessages: true });
    await batch.run(async () => {
      for (const _ of messages) await pause();
    }, undefined);
    expect(rig.spans('process orders')).toEqual([]);
    batch.end({ messages: [undefined, { error: new RangeError('no stock') }] });
    expect(rig.text()).toBe(
      [
        'send orders PRODUCER',
        '└─ process orders CONSUMER  → send orders, process orders',
        'send orders PRODUCER',
        '└─ process orders CONSUMER !RangeError  → send orders, process orders',
        'process orders CONSUMER  → send orders, send orders',
      ].join('\n'),
    );
  });

  test('means them as they were delivered, whatever the application does to its array', () => {
    const messages = ['first', 'second'].map((id) => rig.sent({ facts: { id } }));
    const batch = batchOf(messages, { holdsMessages: true });
    messages.reverse();
    messages.length = 1;
    const error = new RangeError('no stock');
    batch.end({ messages: [{ error }, undefined] });
    const said = rig
      .spans('process orders')
      .map(({ attributes }) => [attributes['messaging.message.id'], attributes['error.type']]);
    // The batch, of which not all have failed, and the one that has; which is first where both began at once says nothing.
    expect(said).toHaveLength(2);
    expect(said).toEqual(
      expect.arrayContaining([
        [undefined, undefined],
        ['first', 'RangeError'],
      ]),
    );
  });

  test('gives a span to a message that failed without one, and to no other', () => {
    const messages = [rig.sent(), rig.sent()];
    batchOf(messages, { holdsMessages: true }).end({ messages: [{ error: new RangeError('no stock') }, {}] });
    expect(rig.text()).toBe(
      [
        'send orders PRODUCER',
        '└─ process orders CONSUMER !RangeError  → send orders, process orders',
        'send orders PRODUCER',
        'process orders CONSUMER  → send orders, send orders',
      ].join('\n'),
    );
  });

  test('has failed if all of its messages have', () => {
    const messages = [rig.sent(), rig.sent()];
    const error = new RangeError('no stock');
    batchOf(messages, { holdsMessages: true }).end({ messages: [{ error }, { error }] });
    expect(rig.text().match(/process orders CONSUMER !RangeError/g)).toHaveLength(3);
  });
});

describe('a batch', () => {
  test('that was delivered before is not counted again, and its messages link to both', async () => {
    const messages = rig.received([rig.sent(), rig.sent()]);
    const deliveries = messages.map((message) => deliveryOf(message)!);
    const batch = batchOf(messages, { deliveries });
    await batch.handle(async () => {
      for (const _ of messages) await pause();
    }, undefined);
    expect(rig.text()).toBe(
      [
        'send orders PRODUCER',
        '└─ process orders CONSUMER  → send orders, receive orders, process orders',
        'send orders PRODUCER',
        '└─ process orders CONSUMER  → send orders, receive orders, process orders',
        'receive orders CLIENT  → send orders, send orders',
        'process orders CONSUMER  → send orders, send orders',
      ].join('\n'),
    );
    expect(Object.values(await rig.counts('messaging.client.consumed.messages'))).toEqual([2]);
  });

  test('that is handed over within a span has it as its parent', async () => {
    await rig.tracing.inSpan('invocation', () => {
      batchOf([rig.sent()], { ambient: context.active() }).handle(applicationWork, undefined);
    });
    expect(rig.text()).toContain('process orders CONSUMER  → send orders\n   └─ work INTERNAL');
    expect(trace.getActiveSpan()).toBeUndefined();
  });
});
