/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { propagation } from '@opentelemetry/api';
import { applyInstrumentation, eventually, sqsEvent, startTracing, type Tracing } from '@otel-messaging/test-utils';
import { SqsInstrumentation, wrapSqsHandler } from '../src';

const instrumentation = new SqsInstrumentation();
applyInstrumentation(instrumentation, require);

type Callback = (error: unknown, value?: unknown) => void;
type Handler = (event: unknown, context: unknown, callback: Callback) => unknown;

const EXPORTED = 'everything is exported';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

let tracing: Tracing;
/** What the runtime hears, and when the export is over, in this order. */
let heard: unknown[];

const processor = { onStart: () => {}, onEnd: () => {}, shutdown: async () => {} };
const tick = () => new Promise((resolve) => setImmediate(resolve));
const ticks = async (count: number) => {
  for (let i = 0; i < count; i++) await tick();
};

beforeEach(() => {
  heard = [];
  // Slower than any of the handlers is with its second answer.
  const forceFlush = async () => {
    await ticks(20);
    heard.push(EXPORTED);
  };
  tracing = startTracing([instrumentation], { processors: [{ ...processor, forceFlush }] });
});

afterEach(async () => {
  await ticks(25);
  await tracing.stop();
});

/** Two messages; the first has baggage. */
function eventOf(baggage?: string) {
  const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
  const messages = ['m0', 'm1'].map((MessageId, i) => ({
    MessageId,
    ReceiptHandle: `receipt-${MessageId}`,
    Body: MessageId,
    MessageAttributes: {
      traceparent: attribute(`00-${TRACE_ID}-${SPAN_ID}-01`),
      ...(baggage !== undefined && i === 0 && { baggage: attribute(baggage) }),
    },
  }));
  return sqsEvent(messages, 'orders');
}

const API_EVENT = { httpMethod: 'GET', path: '/orders' };

/** Calls as the runtime does: it listens to a promise, a callback and a throw, and takes the first of them. */
function call(handler: Handler, event: unknown): void {
  const hear = (manner: string) => (value: unknown) => void heard.push(`${manner} ${show(value)}`);
  try {
    const result = handler(event, {}, (error, value) =>
      error === undefined || error === null ? hear('callback')(value) : hear('callback error')(error),
    );
    if (result instanceof Promise) result.then(hear('promise'), hear('rejection'));
  } catch (error) {
    hear('throw')(error);
  }
}

const show = (value: unknown) => (value instanceof Error ? value.message : JSON.stringify(value));

const FAILURES = { batchItemFailures: [{ itemIdentifier: 'm1' }] };

const HANDLERS: Record<string, Handler> = {
  'a promise': async () => {
    await tick();
    return FAILURES;
  },
  'a rejection': async () => {
    await tick();
    throw new Error('no stock');
  },
  'a callback': (_event, _context, callback) => void setImmediate(callback, null, FAILURES),
  'a callback at once': (_event, _context, callback) => callback(null, FAILURES),
  'a callback at once, as an async function': async (_event, _context, callback) => callback(null, FAILURES),
  'a callback, as an async function': async (_event, _context, callback) => {
    await tick();
    callback(null, FAILURES);
  },
  'a callback with an error, as an async function': async (_event, _context, callback) => {
    await tick();
    callback(new Error('no stock'));
  },
  'a callback, and then a promise of its own': async (_event, _context, callback) => {
    callback(null, FAILURES);
    await tick();
    return 'promise';
  },
  'a callback, and then a rejection': async (_event, _context, callback) => {
    callback(null, FAILURES);
    await tick();
    throw new Error('too late');
  },
  'a promise, and then a callback': async (_event, _context, callback) => {
    setImmediate(callback, new Error('too late'));
    return FAILURES;
  },
  'a promise, and a callback right after it': (_event, _context, callback) => {
    const promise = tick().then(() => FAILURES);
    void promise.then(() => {}).then(() => callback(new Error('too late')));
    return promise;
  },
  'a callback, right before the promise': (_event, _context, callback) => {
    const promise = tick().then(() => 'promise');
    void promise.then(() => callback(null, FAILURES));
    return promise;
  },
  'a callback twice': (_event, _context, callback) => {
    setImmediate(() => {
      callback(null, FAILURES);
      callback(new Error('too late'));
    });
  },
  'a callback twice, with time between': (_event, _context, callback) => {
    setImmediate(callback, null, FAILURES);
    void ticks(3).then(() => callback(new Error('too late')));
  },
  'a callback found among all arguments': (...args) => void setImmediate(args[2], null, FAILURES),
  'a callback, and then a throw': (_event, _context, callback) => {
    callback(null, FAILURES);
    throw new Error('too late');
  },
  'a throw, and then a callback': (_event, _context, callback) => {
    setImmediate(callback, null, 'too late');
    throw new Error('no stock');
  },
};

/** These the runtime hears at once: nothing else would be the same. */
const THROWING = ['a callback, and then a throw', 'a throw, and then a callback'];

async function heardWithoutUs(handler: Handler, event: unknown): Promise<unknown[]> {
  call(handler, event);
  await ticks(10);
  return heard.splice(0);
}

describe.each([
  ['an SQS event', eventOf()],
  ['an event of another service', API_EVENT],
])('%s, answered by', (_, event) => {
  test.each(Object.entries(HANDLERS))(
    '%s: the runtime hears the same in the same order, after the export',
    async (name, handler) => {
      const expected = await heardWithoutUs(handler, event);
      call(wrapSqsHandler(handler), event);
      await eventually('all of it', () => heard.length >= expected.length + 1);
      await ticks(10);
      expect(heard.filter((each) => each !== EXPORTED)).toEqual(expected);
      if (!THROWING.includes(name)) expect(heard[0]).toBe(EXPORTED);
      expect(tracing.openSpans).toBe(0);
    },
  );

  test.each(Object.entries(HANDLERS))('%s: the same where nobody waits for the export', async (_, handler) => {
    const expected = await heardWithoutUs(handler, event);
    tracing.inSpan('invocation', () => call(wrapSqsHandler(handler), event));
    await eventually('all of it', () => heard.length >= expected.length);
    await ticks(10);
    expect(heard).toEqual(expected);
  });
});

test.each([
  'a callback at once',
  'a callback at once, as an async function',
  'a callback, as an async function',
  'a callback, and then a throw',
])('with %s a message that the first answer names has failed, before the export begins', async (name) => {
  await tracing.stop();
  let exported: string[] = [];
  const forceFlush = async () => {
    exported = tracing.spans().map(({ name, attributes }) => `${name} ${attributes['error.type']}`);
  };
  tracing = startTracing([instrumentation], { processors: [{ ...processor, forceFlush }] });
  call(wrapSqsHandler(HANDLERS[name]!), eventOf());
  await eventually('the answer', () => heard.length > 0);
  expect(exported.sort()).toEqual(['process orders BatchItemFailure', 'process orders undefined']);
});

test('what is active in a handler that calls back is not active for the next event', async () => {
  const seen: unknown[] = [];
  const handler = wrapSqsHandler((event: unknown, _: unknown, callback: Callback) => {
    seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
    for (const { messageId } of (event as ReturnType<typeof eventOf>).Records) {
      if (messageId === 'm0') setImmediate(callback, null);
    }
  });
  await new Promise<void>((resolve) => {
    const next = () => handler(eventOf(), {}, () => resolve());
    handler(eventOf('tenant=a'), {}, () => setImmediate(next));
  });
  expect(seen).toEqual([undefined, undefined]);
});

describe('a context that cannot tell how much time is left', () => {
  const stub = {
    getRemainingTimeInMillis: () => {
      throw new Error('Function not implemented.');
    },
  };
  const hostile = {
    get getRemainingTimeInMillis(): never {
      throw new Error('a hostile getter');
    },
  };
  const ignorant = { getRemainingTimeInMillis: () => undefined };

  test.each([
    ['that throws', stub],
    ['whose getter throws', hostile],
    ['that says nothing', ignorant],
  ])('%s, keeps no handler from its result, and no event from being exported', async (_, context) => {
    const error = new RangeError('no stock');
    expect(await wrapSqsHandler(async (_: unknown, __: unknown) => 'fine')(eventOf(), context)).toBe('fine');
    expect(heard).toEqual([EXPORTED]);
    const rejecting = wrapSqsHandler(async (_: unknown, __: unknown) => Promise.reject(error));
    await expect(rejecting(eventOf(), context)).rejects.toBe(error);
    const throwing = wrapSqsHandler((_: unknown, __: unknown) => {
      throw error;
    });
    expect(() => throwing(eventOf(), context)).toThrow(error);
    const calling = wrapSqsHandler(
      (_: unknown, __: unknown, callback: Callback) => void setImmediate(callback, null, 1),
    );
    expect(await new Promise((resolve) => calling(eventOf(), context, (_, value) => resolve(value)))).toBe(1);
  });
});

describe('a callback of the runtime that throws', () => {
  const error = new Error('Unable to stringify response body');
  const throwing = () => {
    throw error;
  };

  test('rejects the promise of a handler that has one', async () => {
    const handler = wrapSqsHandler(async (_: unknown, __: unknown, callback: Callback) => callback(null, 1));
    await expect(handler({}, {}, throwing)).rejects.toBe(error);
    const waiting = wrapSqsHandler(async (_: unknown, __: unknown, callback: Callback) => {
      callback(null, 1);
      await new Promise(() => {});
    });
    await expect(waiting({}, {}, throwing)).rejects.toBe(error);
  });

  test('throws into the handler where nobody waits for the export', async () => {
    const caught: unknown[] = [];
    const handler = wrapSqsHandler((_: unknown, __: unknown, callback: Callback) => {
      try {
        callback(null, 1);
      } catch (error) {
        caught.push(error);
      }
    });
    await tracing.inSpan('invocation', () => handler({}, {}, throwing));
    expect(caught).toEqual([error]);
  });

  test('throws into the handler once the first answer has arrived', async () => {
    let calls = 0;
    const caught: unknown[] = [];
    const handler = wrapSqsHandler(async (_: unknown, __: unknown, callback: Callback) => {
      callback(null, 1);
      await eventually('the first answer', () => calls === 1);
      await tick();
      try {
        callback(null, 2);
      } catch (error) {
        caught.push(error);
      }
    });
    await handler({}, {}, () => {
      if (++calls > 1) throw error;
    });
    expect(caught).toEqual([error]);
  });

  test('is an uncaught exception where there is no promise, as it is without us', async () => {
    const fixture = join(__dirname, 'fixtures/throwing-runtime.cjs');
    for (const isWrapped of ['wrapped', 'plain']) {
      const { stdout } = await promisify(execFile)(process.execPath, [fixture, isWrapped]);
      expect(stdout).toBe('uncaughtException: Unable to stringify response body\n');
    }
  });
});
