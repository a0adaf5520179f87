/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { context, propagation, trace } from '@opentelemetry/api';
import { deliveryOf } from '../src';
import { activeMessage, applicationWork, type Message, pause, Rig } from './support';

/** Walks within walks, and several passes over one batch. */

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(() => rig.stopWithNothingLeft());

/** As `processMessage` of the packages does it. */
const process = (message: Message, handler: () => unknown) =>
  deliveryOf(message)?.begin(message)?.handleAlone(handler, message);

const traceOf = (message: Message) => message.headers?.['traceparent']?.split('-')[1];
const activeTrace = () => trace.getActiveSpan()?.spanContext().traceId;

describe('a function with loops within loops, which is waited for', () => {
  const withBaggage = (tenant: string) =>
    rig.received(
      ['1', '2'].map((id) => {
        const message = rig.sent({ facts: { id: tenant + id } });
        return { ...message, headers: { ...message.headers, baggage: `tenant=${tenant}` } };
      }),
    );
  async function two() {
    for (const _a of withBaggage('a')) for (const _b of withBaggage('b')) await pause();
  }
  async function three() {
    for (const _a of withBaggage('a')) {
      for (const _b of withBaggage('b')) for (const _c of withBaggage('c')) await pause();
    }
  }

  test.each([two, three])('leaves its caller with its own span, and no baggage: %p', async (walk) => {
    await pause();
    await rig.tracing.inSpan('request', async () => {
      await pause();
      const request = trace.getActiveSpan();
      for (let i = 0; i < 3; i++) {
        await walk();
        expect(trace.getActiveSpan()).toBe(request);
        expect(propagation.getActiveBaggage()).toBeUndefined();
      }
    });
  });
});

test('a body goes on in its span after a helper has handled the same message', async () => {
  await pause();
  for (const message of rig.receive('1', '2')) {
    await process(message, async () => {
      await pause();
      expect(activeTrace()).toBe(traceOf(message));
    });
    expect(activeTrace()).toBe(traceOf(message));
    applicationWork();
  }
  expect(rig.spans('process orders')).toHaveLength(2);
});

test('a body goes on in its span after a walk over the same batch', async () => {
  await pause();
  const messages = rig.receive('1', '2');
  for (const message of messages) {
    messages.forEach(() => void activeMessage()); // as a log line asks for it
    expect(activeTrace()).toBe(traceOf(message));
    await pause();
  }
});

test('a handler that is bound to the body it is called in does not end the span of that', async () => {
  await pause();
  for (const message of rig.receive('1')) {
    process(message, context.bind(context.active(), applicationWork.bind(undefined, 'work')));
    await pause();
    await pause();
    expect(rig.tracing.openSpans).toBe(1);
  }
  const [duration] = (await rig.tracing.metrics()).filter(
    ({ descriptor }) => descriptor.name === 'messaging.process.duration',
  );
  expect(duration?.dataPoints.map(({ value }) => (value as { count: number }).count)).toEqual([1]);
});

test('a walk by a generator keeps its message through a walk of the body', () => {
  function* each(messages: Message[]) {
    for (const message of messages) yield message;
  }
  for (const message of each(rig.receive('1', '2'))) {
    for (const _inner of rig.receive('a')) activeMessage();
    const [_first] = rig.receive('b');
    expect(activeMessage()).toBe(message.facts?.id);
  }
});

describe('a second pass', () => {
  async function inner() {
    for (const _message of rig.receive('x')) await pause();
  }

  test('keeps its messages through walks of its bodies', async () => {
    await pause();
    const messages = rig.receive('1', '2');
    for (const _message of messages) await pause();
    for (const message of messages) {
      await inner();
      expect(activeTrace()).toBe(traceOf(message));
    }
  });

  test('leaves its caller with its own span', async () => {
    async function handleAll(messages: Message[]) {
      for (const _message of messages) await inner();
    }
    await pause();
    await rig.tracing.inSpan('request', async () => {
      const request = trace.getActiveSpan();
      const messages = rig.receive('1', '2');
      for (const _message of messages) activeMessage();
      await handleAll(messages);
      expect(trace.getActiveSpan()).toBe(request);
    });
  });
});

test('a callback is called as the language calls it', () => {
  const callback = Object.setPrototypeOf(() => 1, null);
  expect(rig.receive('1', '2').map(callback)).toEqual([1, 1]);
});

test('where others make the stack, a walk is one without it', () => {
  const { captureStackTrace } = Error;
  for (const stack of [[{ getFileName: () => 'a.js' }], [null], 'text', { length: 1 }]) {
    Error.captureStackTrace = (holder) => void Object.assign(holder, { stack });
    try {
      for (const message of rig.receive('1')) expect(activeMessage()).toBe(message.facts?.id);
    } finally {
      Error.captureStackTrace = captureStackTrace;
    }
  }
});

test('an API that has `attach`, which the context manager knows nothing of, changes nothing', async () => {
  const api = Object.getPrototypeOf(context);
  api.attach = () => ({});
  try {
    await pause();
    for (const message of rig.receive('1', '2')) {
      await pause();
      expect(activeMessage()).toBe(message.facts?.id);
    }
  } finally {
    delete api.attach;
  }
});
