/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import assert from 'node:assert/strict';
import { metrics as metricsApi } from '@opentelemetry/api';
import type { TracingOptions } from '../../tracing';
import { outcomeOf, unhandledRejections } from '../calls';
import { throwingMeterProvider, throwingProcessor, throwingPropagator, throwingSampler } from '../hostile';
import type { Rig } from '../rig';
import { withClient } from './shared';

export async function sameResult(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const observed = await outcomeOf(() => client.send(client.input({ body: 'observed' })));
    rig.instrumentation.disable();
    const plain = await outcomeOf(() => client.send(client.input({ body: 'plain' })));
    rig.instrumentation.enable();
    assert.deepEqual(observed, plain);
  });
}

export async function forgottenRejection(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    for (const [name, call] of Object.entries(client.malformed)) {
      const forget = () => {
        try {
          void call();
        } catch {
          // refused at once: nothing to forget
        }
        return new Promise((resolve) => setTimeout(resolve, 200));
      };
      const observed = await unhandledRejections(forget);
      rig.instrumentation.disable();
      const plain = await unhandledRejections(forget);
      rig.instrumentation.enable();
      assert.deepEqual(observed, plain, name);
    }
  });
}

export async function brokenTelemetry(rig: Rig): Promise<void> {
  const boom = () => {
    throw new Error('a hook is broken');
  };
  const broken: Readonly<Record<string, TracingOptions>> = {
    'propagator.inject': { propagator: throwingPropagator('inject') },
    'propagator.extract': { propagator: throwingPropagator('extract') },
    'propagator.fields': { propagator: throwingPropagator('fields') },
    sampler: { sampler: throwingSampler },
    'processor.onStart': { processors: [throwingProcessor('onStart')] },
    'processor.onEnd': { processors: [throwingProcessor('onEnd')] },
    meter: { metrics: false },
    hooks: {},
  };
  for (const [name, options] of Object.entries(broken)) {
    const setUp = () => {
      if (name === 'meter') metricsApi.setGlobalMeterProvider(throwingMeterProvider);
      if (name === 'hooks')
        rig.instrumentation.setConfig({ spanHook: boom, destinationTemplate: boom, trustIncoming: boom } as object);
    };
    const rejections = await unhandledRejections(async () => {
      try {
        await withClient(
          rig,
          async (client) => {
            const outcome = await outcomeOf(() => client.send(client.input({ body: name })));
            assert.match(outcome.manner, /returned|resolved/, `${name}: send ${outcome.manner} ${outcome.what}`);
            await client.flush();
            const bodies: string[] = [];
            await client.consume(1, async (message) => bodies.push(client.body(message)));
            assert.deepEqual(bodies, [name], `${name}: the message did not arrive once`);
          },
          options,
          setUp,
        );
      } finally {
        rig.instrumentation.setConfig({});
      }
    });
    assert.deepEqual(rejections, [], `${name}: unhandled rejections`);
  }
}
