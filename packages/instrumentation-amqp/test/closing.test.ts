/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { errorOf } from '../src/closing';

test.each([
  ['Stack capture: Channel closed by server: 404 (NOT-FOUND) with message "no queue"\n    at x', 404],
  ['Stack capture: Connection closed: 320 (CONNECTION-FORCED) with message "shutdown"\n    at x', 320],
  ['Stack capture: Socket error\n    at x', undefined],
  ['Stack capture: Heartbeat timeout\n    at x', undefined],
])('%s is an error', (stack, code) => {
  const error = errorOf(stack) as (Error & { code?: number }) | undefined;
  expect(error).toBeInstanceOf(Error);
  expect(error?.code).toBe(code);
});

test.each([
  ['Stack capture: ChannelCloseOk frame received\n    at x'],
  ['Stack capture: ConnectionCloseOk received\n    at x'],
  ['Stack capture: Connection closed: 200 (REPLY-SUCCESS) with message "Goodbye"\n    at x'],
  ['Stack capture: closeBecause called: Goodbye\n    at x'],
  [undefined],
  [''],
])('%s is none', (stack) => {
  expect(errorOf(stack)).toBeUndefined();
});
