/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Span } from '@opentelemetry/api';
import type { SpanHookInfo } from '../src/config';
import { applicationWork, type Message, Rig, reader, writer } from './support';

let rig: Rig;
let seen: [Span, SpanHookInfo][];

beforeEach(() => {
  seen = [];
  rig = new Rig({ spanHook: (...call) => void seen.push(call), emptyReceiveSpans: true, settleSpans: true });
});

afterEach(async () => {
  expect(rig.reports).toEqual([]);
  await rig.tracing.stop();
});

const messages = (count: number) => Array.from({ length: count }, (): Message => ({}));

const OPERATIONS: [string, number, () => void][] = [
  ['a message that is sent', 1, () => void rig.sent()],
  ...[0, 1, 2, 200].map((count): [string, number, () => void] => [
    `a batch of ${count} that is sent`,
    count === 2 ? 3 : 1,
    () => rig.telemetry.startBatchSend(rig.plan('send'), messages(count), writer, () => rig.plan('create'))?.end(),
  ]),
  ['a poll', 1, () => void rig.received(messages(2))],
  ['an empty poll', 1, () => rig.telemetry.startReceive(rig.plan('receive', { isBatch: true }))?.end()],
  ['a message that is asked for', 1, () => void rig.received(messages(1), rig.plan('receive'))],
  ['no message that is asked for', 1, () => rig.telemetry.startReceive(rig.plan('receive'))?.end()],
  ['a poll that fails', 1, () => rig.telemetry.startReceive(rig.plan('receive', { isBatch: true }))?.fail('no')],
  ['a walk of two', 3, () => void rig.received(messages(2)).forEach(() => void applicationWork())],
  ['a message that is handed over', 1, () => rig.telemetry.startProcess(rig.plan('process'), {}, reader)?.end()],
  [
    'a batch that is handed over',
    1,
    () =>
      rig.telemetry
        .startBatchProcess(rig.plan('process', { isBatch: true }), messages(2), reader, rig.plan('process'))
        ?.end(),
  ],
  ['a settlement', 1, () => rig.telemetry.startSettle(rig.plan('settle'), { creations: [] })?.end()],
  [
    'the settlement of a message',
    1,
    () => rig.telemetry.startSettle(rig.plan('settle'), { creations: [], message: {}, reader })?.end(),
  ],
];

test.each(OPERATIONS)('the hook is called once for each span of %s', (_, count, operation) => {
  operation();
  const ours = rig.tracing.spans().filter(({ name }) => name !== 'work');
  expect(ours).toHaveLength(count);
  expect(seen.map(([span]) => span.spanContext().spanId).sort()).toEqual(
    ours.map((span) => span.spanContext().spanId).sort(),
  );
});

test('it is told of the message that a span is about, and of none where there are several', () => {
  const [one, two] = messages(2);
  rig.telemetry.startBatchSend(rig.plan('send'), [one, two], writer, () => rig.plan('create'))?.end();
  expect(seen.map(([, { message, operation }]) => [operation.type, message])).toEqual([
    ['create', one],
    ['create', two],
    ['send', undefined],
  ]);
});
