/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import assert from 'node:assert/strict';
import { deepFreeze } from '../../frozen';
import { outcomeOf } from '../calls';
import type { Rig } from '../rig';
import { snapshot, withClient } from './shared';

export async function frozenInput(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const input = deepFreeze(client.input({ body: 'one', headers: { tenant: 'a' } }));
    const before = snapshot(input);
    await client.send(input);
    await client.send(input);
    await client.flush();
    assert.equal(snapshot(input), before, 'the input was changed');
    const bodies: string[] = [];
    await client.consume(2, (message) => bodies.push(client.body(message)));
    assert.deepEqual(bodies, ['one', 'one']);
  });
}

export async function frozenBatch(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const input = deepFreeze(client.batchInput?.([{ body: 'one', headers: { tenant: 'a' } }, { body: 'two' }]));
    const before = snapshot(input);
    await client.sendBatch?.(input);
    await client.flush();
    assert.equal(snapshot(input), before, 'the input was changed');
    const bodies: string[] = [];
    await client.consume(2, (message) => bodies.push(client.body(message)));
    assert.deepEqual(bodies.sort(), ['one', 'two']);
  });
}

export async function malformedInput(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    for (const [name, call] of Object.entries(client.malformed)) {
      const observed = await outcomeOf(call);
      rig.instrumentation.disable();
      const plain = await outcomeOf(call);
      rig.instrumentation.enable();
      assert.deepEqual(observed, plain, name);
      assert.match(plain.manner, /threw|rejected/, `${name} is no malformed input: the client took it`);
    }
  });
}

export async function fullMessage(rig: Rig): Promise<void> {
  await withClient(rig, async (client) => {
    const input = client.full?.();
    const outcome = await outcomeOf(() => client.send(input));
    assert.match(outcome.manner, /returned|resolved/, `refused: ${outcome.what}`);
    await client.flush();
    let count = 0;
    await client.consume(1, () => count++);
    assert.equal(count, 1);
  });
}
