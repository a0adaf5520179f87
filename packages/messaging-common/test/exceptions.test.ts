/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { runInNewContext } from 'node:vm';
import { logs } from '@opentelemetry/api-logs';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { PROMISE, Rig, reader, writer } from './support';

let rig: Rig;
let exporter: InMemoryLogRecordExporter;

function use(exceptionSignal?: 'span-event' | 'log' | 'log-and-span-event'): void {
  exporter = new InMemoryLogRecordExporter();
  logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] }));
  rig = new Rig({ exceptionSignal });
}

afterEach(async () => {
  logs.disable();
  await rig.tracing.stop();
});

const fail = (error: unknown) => rig.telemetry.startSend(rig.plan('send'), {}, writer)?.fail(error);
const events = () =>
  rig.span('send orders').events.map(({ name, attributes }) => [name, attributes?.['exception.message']]);

test('an exception is an event of its span', () => {
  use();
  fail(new RangeError('mine'));
  expect(events()).toEqual([['exception', 'mine']]);
  expect(exporter.getFinishedLogRecords()).toEqual([]);
});

test('or a log record in the context of its span', () => {
  use('log');
  fail(new RangeError('mine'));
  expect(events()).toEqual([]);
  const [record] = exporter.getFinishedLogRecords();
  expect(record).toMatchObject({
    eventName: 'messaging.send.exception',
    severityNumber: 13,
    attributes: {
      'exception.type': 'RangeError',
      'exception.message': 'mine',
      'exception.stacktrace': expect.any(String),
    },
  });
  expect(record?.spanContext).toEqual(rig.span('send orders').spanContext());
});

test('or both', () => {
  use('log-and-span-event');
  fail(new RangeError('mine'));
  expect(events()).toHaveLength(1);
  expect(exporter.getFinishedLogRecords()).toHaveLength(1);
});

test('of a handler it is an error, of anything else a warning', () => {
  use('log');
  const throws = () => {
    throw new RangeError('mine');
  };
  expect(() =>
    rig.telemetry.startProcess(rig.plan('process'), {}, reader)?.handle(PROMISE, throws, undefined),
  ).toThrow();
  expect(exporter.getFinishedLogRecords()[0]).toMatchObject({
    eventName: 'messaging.process.exception',
    severityNumber: 17,
  });
});

test('of a poll it is logged in the context of the poll’s span, which is made late', () => {
  use('log');
  rig.telemetry.startReceive(rig.plan('receive'))?.fail(new RangeError('mine'));
  expect(exporter.getFinishedLogRecords()[0]?.spanContext).toEqual(rig.span('receive orders').spanContext());
});

test.each([
  ['a text', 'boom'],
  ['an object', { message: 'boom' }],
  ['nothing', undefined],
])('%s that was thrown has no stack to record', (_, thrown) => {
  use();
  fail(thrown);
  expect(rig.span('send orders').status.code).toBe(2);
  if (thrown !== undefined) expect(events()).toEqual([]);
});

test('an error of another realm is one all the same', () => {
  use();
  fail(runInNewContext('new TypeError("theirs")'));
  expect(events()).toEqual([['exception', 'theirs']]);
});

test('a description is cut at 1,000 characters', () => {
  use();
  fail(new Error('x'.repeat(1001)));
  expect(rig.span('send orders').status.message).toHaveLength(1000);
});
