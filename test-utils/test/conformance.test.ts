/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { AsyncLocalStorage } from 'node:async_hooks';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { CHECKS, describeConformance, type RigClient } from '../src/conformance';
import type { MemoryInstrumentation } from './memory/memory-instrumentation';
import { memoryRig } from './memory/memory-rig';

describeConformance(() => memoryRig());

/** One way to break each promise; the check of that promise must then fail. */
const FAULTS: Readonly<Record<string, (client: RigClient, instrumentation: MemoryInstrumentation) => void>> = {
  '1. frozen input is sent, twice, and stays as it was': beforeSend((input) => Object.assign(input, { sentBy: 'us' })),
  '1. a frozen batch is sent and stays as it was': (client) => {
    const { sendBatch } = client;
    client.sendBatch = (input) => {
      input.push({ body: 'ours' });
      return sendBatch?.(input);
    };
  },
  '2. a send gives the same result in the same manner': aroundSend((send, input, isOn) =>
    isOn ? Promise.resolve(send(input)).then(() => ({ traced: true })) : send(input),
  ),
  '2. a forgotten rejection is still reported as unhandled': aroundMalformed((call, isOn) => {
    const promise = call() as Promise<unknown>;
    if (isOn) promise.catch(() => {});
    return promise;
  }),
  "3. malformed input meets the client's own error": aroundMalformed((call, isOn) => {
    if (isOn) throw new TypeError("cannot read 'headers' of null");
    return call();
  }),
  '4. whatever throws in the telemetry never reaches the application': beforeSend(() =>
    propagation.inject(
      trace.setSpanContext(ROOT_CONTEXT, { traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 }),
      {},
    ),
  ),
  '5. every started span ends, however the handler or the call ends': beforeSend(() =>
    trace.getTracer('ours').startSpan('leak'),
  ),
  '6. each message is handled in the trace of its send': inHandler((handler, message) =>
    context.with(ROOT_CONTEXT, () => handler(message)),
  ),
  '6. each message of a batch is handled in a trace of its own': (_, instrumentation) =>
    instrumentation.setConfig({ batchCreateSpans: false }),
  '7. a context that the application wrote is kept and linked': aroundSend((send, input) =>
    send({ ...input, headers: { ...input.headers, traceparent: undefined } }),
  ),
  '7. a context that came along with forwarded headers is replaced': aroundSend((send, input) =>
    context.with(ROOT_CONTEXT, () => send(input)),
  ),
  '8. baggage arrives in the handler': inHandler((handler, message) =>
    context.with(propagation.deleteBaggage(context.active()), () => handler(message)),
  ),
  '9. after a handler the active context is what it was': (client) => {
    const { consume } = client;
    client.consume = (count, handler) => {
      const manager = (
        context as unknown as { _getContextManager(): { _asyncLocalStorage: AsyncLocalStorage<unknown> } }
      )._getContextManager();
      manager._asyncLocalStorage.enterWith(ROOT_CONTEXT);
      return consume(count, handler);
    };
  },
  '10. disabling silences live clients and restores the very same functions; enabling works again': (
    _,
    instrumentation,
  ) => {
    instrumentation.disable = () => {};
  },
  '11. a message without room for more headers arrives all the same': beforeSend((input) => {
    input.headers = { ...input.headers, traceparent: 'one too many' };
  }),
  '12. counters count messages, histograms operations in seconds, a delivery once': (_, { telemetry }) => {
    const { countMessages } = telemetry;
    telemetry.countMessages = (plan, count, type) => countMessages.call(telemetry, plan, 2 * count, type);
  },
  '13. unsampled traces propagate their ids and stay unsampled': inHandler((handler, message) =>
    context.with(ROOT_CONTEXT, () =>
      handler({ ...message, headers: { traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01` } }),
    ),
  ),
  '14. without an SDK nothing is added to a message': aroundSend((send, input) =>
    send({ ...input, headers: { ...input.headers, traceparent: '' } }),
  ),
};

describe('the suite notices when a promise is broken', () => {
  for (const check of CHECKS) {
    test(check.promise, async () => {
      const fault = FAULTS[check.promise];
      if (fault === undefined) throw new Error('no fault breaks this promise');
      await expect(check.run(memoryRig(fault))).rejects.toThrow();
    });
  }
});

// biome-ignore lint/suspicious/noExplicitAny: inputs are the client's own
type Input = any;
type Fault = (client: RigClient, instrumentation: MemoryInstrumentation) => void;

function beforeSend(effect: (input: Input) => unknown): Fault {
  return aroundSend((send, input) => {
    effect(input);
    return send(input);
  });
}

function aroundSend(around: (send: (input: Input) => unknown, input: Input, isOn: boolean) => unknown): Fault {
  return (client, instrumentation) => {
    const { send } = client;
    client.send = (input) => around(send, input, instrumentation.isEnabled());
  };
}

function aroundMalformed(around: (call: () => unknown, isOn: boolean) => unknown): Fault {
  return (client, instrumentation) => {
    const calls = client.malformed as Record<string, () => unknown>;
    for (const [name, call] of Object.entries(calls)) calls[name] = () => around(call, instrumentation.isEnabled());
  };
}

function inHandler(around: (handler: (message: Input) => unknown, message: Input) => unknown): Fault {
  return (client) => {
    const { consume } = client;
    client.consume = (count, handler) => consume(count, (message) => around(handler, message));
  };
}
