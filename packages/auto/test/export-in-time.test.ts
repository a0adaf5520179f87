/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { exportAtLast, exportTimeoutMs } from '../src/export-in-time';

const written: string[] = [];

beforeEach(() => {
  written.length = 0;
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

test.each([
  [undefined, 5000],
  ['', 5000],
  ['0', 0],
  [' 250 ', 250],
  ['2147483647', 2147483647],
])('%j is %d ms', (text, milliseconds) => {
  expect(exportTimeoutMs({ OTEL_MESSAGING_FLUSH_TIMEOUT: text })).toBe(milliseconds);
  expect(written).toEqual([]);
});

test.each(['-1', 'soon', '2147483648', '5s'])('%j is reported and replaced by the default', (text) => {
  expect(exportTimeoutMs({ OTEL_MESSAGING_FLUSH_TIMEOUT: text })).toBe(5000);
  expect(written.join()).toContain(`OTEL_MESSAGING_FLUSH_TIMEOUT is "${text}"`);
});

test('an export that never ends is given up', async () => {
  await exportAtLast(20, () => new Promise(() => {}));
  expect(written.join()).toContain('gave up exporting after 20 ms');
});

test.each([
  ['rejects', () => Promise.reject(new Error('no collector'))],
  [
    'throws',
    () => {
      throw new Error('no exporter');
    },
  ],
])('an export that %s is over', async (_name, task) => {
  await exportAtLast(60_000, task);
  expect(written).toEqual([]);
});
