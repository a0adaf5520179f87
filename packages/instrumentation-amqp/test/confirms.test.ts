/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { ActiveOperation } from '@otel-messaging/messaging-common';
import { UnconfirmedSends } from '../src/confirms';

function waiting(...tags: number[]) {
  const ended: string[] = [];
  const sends = new UnconfirmedSends();
  for (const tag of tags) {
    const operation = {
      end: () => ended.push(`${tag}`),
      fail: (error: Error) => ended.push(`${tag} ${error.message}`),
    };
    sends.add(tag, operation as unknown as ActiveOperation);
  }
  return { sends, ended };
}

test('an answer to one send ends that one, once', () => {
  const { sends, ended } = waiting(1, 2, 3);
  sends.answer(2, false, undefined);
  sends.answer(2, false, undefined);
  sends.answer(9, false, undefined);
  expect(ended).toEqual(['2']);
  expect(sends.size).toBe(2);
});

test('an answer to several ends all up to its tag', () => {
  const { sends, ended } = waiting(1, 2, 3);
  sends.answer(2, true, new Error('refused'));
  expect(ended).toEqual(['1 refused', '2 refused']);
});

test('nothing is left when the channel is gone', () => {
  const { sends, ended } = waiting(1, 2);
  sends.close(new Error('closed'));
  expect(ended).toEqual(['1 closed', '2 closed']);
  expect(sends.size).toBe(0);
});
