/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import assert from 'node:assert/strict';
import { traceText } from '../../trace-text';
import { startTracing, unregister } from '../../tracing';
import { eventually } from '../../waiting';
import { outcomeOf, unhandledRejections } from '../calls';
import type { Rig } from '../rig';
import { application, messagingSpans, ofType, pointsOf, roundTrip, tick, withClient } from './shared';

export async function everySpanEnds(rig: Rig): Promise<void> {
  const handlers: Readonly<Record<string, () => unknown>> = {
    'returns at once': () => undefined,
    'returns a promise': async () => {
      await tick();
      application().startSpan('work').end();
    },
    throws: () => {
      application().startSpan('work').end();
      throw new Error('the handler failed');
    },
    rejects: async () => {
      await tick();
      application().startSpan('work').end();
      throw new Error('the handler failed later');
    },
  };
  await unhandledRejections(async () => {
    for (const [name, handler] of Object.entries(handlers)) {
      const tracing = startTracing([rig.instrumentation]);
      try {
        const client = await rig.connect();
        try {
          for (const call of Object.values(client.malformed)) await outcomeOf(call);
          await client.send(client.input({ body: 'one' }));
          await client.flush();
          await client.consume(1, handler).catch(() => {});
        } finally {
          await client.close().catch(() => {});
        }
        await eventually(`all spans to end after a handler that ${name}`, () => tracing.openSpans === 0, 5_000);
        assert.ok(ofType(tracing, 'process').length + ofType(tracing, 'send').length >= 1, 'nothing was traced at all');
      } finally {
        await tracing.stop();
      }
    }
  });
}

export async function switching(rig: Rig): Promise<void> {
  const { instrumentation, doors } = rig;
  const functions = () => doors.map(({ holder, name }) => (holder as Record<PropertyKey, unknown>)[name]);
  const originals = doors.map(({ original }) => original);
  await withClient(rig, async (client, tracing) => {
    const patched = functions();
    for (const [i, door] of doors.entries())
      assert.notEqual(patched[i], originals[i], `${String(door.name)} is not patched`);
    instrumentation.enable();
    assert.deepEqual(functions(), patched, 'enabling twice wrapped twice');

    instrumentation.disable();
    for (const [i, door] of doors.entries())
      assert.equal(functions()[i], originals[i], `${String(door.name)} is not restored`);
    await roundTrip(client);
    assert.equal(traceText(messagingSpans(tracing)), '', 'a live client was not silenced');

    instrumentation.enable();
    await roundTrip(client);
    await eventually(
      'spans of a live client that was switched on again',
      () => ofType(tracing, 'process').length === 1,
    );
    assert.equal(ofType(tracing, 'send').length, 1, 'switched on again, one send makes one span');
  });
}

export async function withoutSdk(rig: Rig): Promise<void> {
  unregister();
  const client = await rig.connect();
  try {
    await client.send(client.input({ body: 'one', headers: { tenant: 'a' } }));
    await client.flush();
    let headers: Readonly<Record<string, string>> = {};
    await client.consume(1, async (message) => {
      await tick();
      headers = client.headers(message);
    });
    assert.deepEqual(headers, { tenant: 'a' });
  } finally {
    await client.close();
  }
}

export async function metricsCount(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    const total = rig.cannot?.batch === undefined ? 3 : 1;
    await client.send(client.input({ body: 'one' }));
    if (total > 1) await client.sendBatch?.(client.batchInput?.([{ body: 'two' }, { body: 'three' }]));
    await client.flush();
    await client.consume(total, async () => {
      await tick();
    });
    const sums = await pointsOf(tracing);
    assert.equal(sums('messaging.client.sent.messages'), total, 'messages sent');
    assert.equal(sums('messaging.client.consumed.messages'), total, 'messages consumed');
    assert.equal(sums('messaging.process.duration'), total, 'messages processed');
    assert.equal(sums('messaging.client.operation.duration', 'send'), total === 3 ? 2 : 1, 'send operations');
    for (const metric of await tracing.metrics()) {
      if (!metric.descriptor.name.endsWith('duration')) continue;
      assert.equal(metric.descriptor.unit, 's');
      for (const { value } of metric.dataPoints) assert.ok((value as { max?: number }).max! < 60, 'not in seconds');
    }
  });
}
