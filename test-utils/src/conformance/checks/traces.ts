/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import assert from 'node:assert/strict';
import { context, propagation, ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { AlwaysOffSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace-base';
import { applicationSpan, w3c } from '../../tracing';
import { eventually } from '../../waiting';
import type { Rig } from '../rig';
import { application, expectText, ofType, tick, withClient } from './shared';

export async function oneTrace(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    await tracing.inSpan('app', async () => {
      for (const body of ['one', 'two', 'three']) await client.send(client.input({ body }));
    });
    await client.flush();
    await client.consume(3, async () => {
      await tick();
      application().startSpan('work').end();
    });
    const send = ['send PRODUCER', '│  └─ process CONSUMER', '│     └─ work INTERNAL'];
    await expectText(tracing, [
      'app INTERNAL',
      `├─ ${send.join('\n')}`,
      `├─ ${send.join('\n')}`,
      `└─ ${send.join('\n').replaceAll('│  ', '   ')}`,
    ]);
    for (const span of ofType(tracing, 'process')) {
      assert.ok(
        span.links.some(({ context: linked }) => linked.spanId === span.parentSpanContext?.spanId),
        'the creation context is not linked',
      );
    }
  });
}

export async function oneTraceForBatch(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    await tracing.inSpan('app', () => client.sendBatch?.(client.batchInput?.([{ body: 'one' }, { body: 'two' }])));
    await client.flush();
    await client.consume(2, async () => {
      await tick();
      application().startSpan('work').end();
    });
    const create = ['create PRODUCER', '│  └─ process CONSUMER', '│     └─ work INTERNAL'].join('\n');
    await expectText(tracing, ['app INTERNAL', `├─ ${create}`, `├─ ${create}`, '└─ send CLIENT']);
    const created = ofType(tracing, 'create').map((span) => span.spanContext().spanId);
    const linked = ofType(tracing, 'send')[0]?.links.map((link) => link.context.spanId);
    assert.deepEqual(linked?.sort(), created.sort(), 'the send span links to each create span');
  });
}

export async function customContext(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    const custom = applicationSpan('outbox');
    const headers: Record<string, string> = {};
    w3c().inject(trace.setSpanContext(ROOT_CONTEXT, custom), headers, { set: (to, key, value) => (to[key] = value) });
    await tracing.inSpan('relay', () => client.send(client.input({ body: 'one', headers })));
    await client.flush();
    let arrived: string | undefined;
    await client.consume(1, async (message) => {
      await tick();
      arrived = client.headers(message)['traceparent'];
    });
    assert.equal(arrived, headers['traceparent'], "the application's context was replaced");
    const [send] = ofType(tracing, 'send');
    assert.deepEqual(
      send?.links.map((link) => link.context.spanId),
      [custom.spanId],
      'the send span does not link to it',
    );
    assert.equal(send?.kind, SpanKind.CLIENT, 'a send that carries a foreign context is CLIENT');
    await eventually('the process span', () => ofType(tracing, 'process').length === 1);
    assert.equal(ofType(tracing, 'process')[0]?.parentSpanContext?.spanId, custom.spanId);
  });
}

export async function forwardedContext(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    await client.send(client.input({ body: 'one', headers: { tenant: 'a' } }));
    await client.flush();
    await client.consume(1, async (message) => {
      await tick();
      await client.send(client.forward(message));
    });
    await client.flush();
    let tenant: string | undefined;
    await client.consume(1, async (message) => {
      await tick();
      tenant = client.headers(message)['tenant'];
    });
    assert.equal(tenant, 'a', "the application's own header was lost");
    await expectText(tracing, [
      'send PRODUCER',
      '└─ process CONSUMER',
      '   └─ send PRODUCER',
      '      └─ process CONSUMER',
    ]);
  });
}

export async function baggageArrives(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const baggage = propagation.createBaggage({ tenant: { value: 'a b' } });
    await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), async () => {
      await client.send(client.input({ body: 'one' }));
    });
    await client.flush();
    const seen: (string | undefined)[] = [];
    const read = () => seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
    await client.consume(1, async () => {
      read();
      await tick();
      read();
    });
    assert.deepEqual(seen, ['a b', 'a b']);
  });
}

export async function contextRestored(rig: Rig): Promise<void> {
  await withClient(rig, async (client, tracing) => {
    for (const body of ['one', 'two']) await client.send(client.input({ body }));
    await client.flush();
    const inside: (string | undefined)[] = [];
    await tracing.inSpan('around', async () => {
      const before = context.active();
      await client.consume(2, async () => {
        await tick();
        inside.push(trace.getActiveSpan()?.spanContext().spanId);
      });
      assert.equal(context.active(), before, 'the context of a message is still active');
    });
    assert.equal(new Set(inside).size, 2, 'each handler runs in its own span');
  });
}

export async function unsampled(rig: Rig): Promise<void> {
  const sampler = new ParentBasedSampler({ root: new AlwaysOffSampler() });
  await withClient(
    rig,
    async (client, tracing) => {
      await client.send(client.input({ body: 'one' }));
      await client.flush();
      let arrived = '';
      let inHandler = trace.getActiveSpan()?.spanContext();
      await client.consume(1, async (message) => {
        await tick();
        arrived = client.headers(message)['traceparent'] ?? '';
        inHandler = trace.getActiveSpan()?.spanContext();
      });
      assert.match(arrived, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/, 'ids do not travel');
      assert.equal(inHandler?.traceId, arrived.slice(3, 35), 'another trace');
      assert.equal((inHandler?.traceFlags ?? 1) & TraceFlags.SAMPLED, 0, 'sampled on the way');
      assert.deepEqual(tracing.spans(), []);
    },
    { sampler },
  );
}
