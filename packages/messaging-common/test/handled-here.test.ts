/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { handledHere } from '../src';
import { Rig, reader } from './support';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(async () => {
  expect([rig.reports, rig.tracing.openSpans]).toEqual([[], 0]);
  await rig.tracing.stop();
});

const AWAITED = { endsAtSettlement: false, dropsPromise: false };

test('the message in its handler, and nothing outside of it', async () => {
  const message = rig.sent({ facts: { id: 'one' } });
  const plan = rig.plan('process');
  const seen: unknown[] = [];
  let late: (() => void) | undefined;
  const over = new Promise<void>((resolve) => {
    late = resolve;
  }).then(() => seen.push(handledHere()));
  await rig.telemetry.startProcess(plan, message, reader)?.handle(
    AWAITED,
    async () => {
      seen.push(handledHere());
      over.catch(() => {});
    },
    undefined,
  );
  late?.();
  await over;
  expect(seen).toEqual([{ operation: plan.facts, message, reader }, undefined]);
  expect(handledHere()).toBeUndefined();
});

test('the batch in the handler of one, and its message while it is walked', async () => {
  const messages = [rig.sent({ facts: { id: 'one' } })];
  const [plan, own] = [rig.plan('process', { isBatch: true }), rig.plan('process')];
  const seen: unknown[] = [];
  await rig.telemetry.startBatchProcess(plan, messages, reader, own)?.handle(async () => {
    seen.push(handledHere());
    for (const _ of messages) seen.push(handledHere());
  }, undefined);
  expect(seen).toEqual([{ operation: plan.facts }, { operation: own.facts, message: messages[0], reader }]);
});
