/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { runInNewContext } from 'node:vm';
import type { DiagLogger } from '@opentelemetry/api';
import { errorType, guard, isError, report } from '../src/errors';

class PaymentError extends Error {
  override name = 'PaymentError';
}

class Unnamed extends Error {}

const error = (properties: object, message = 'x') => Object.assign(new Error(message), properties);

describe('error.type', () => {
  test.each<[string, unknown, string]>([
    [
      'a protocol error of Kafka',
      error({ name: 'KafkaJSProtocolError', type: 'UNKNOWN_TOPIC_OR_PARTITION' }),
      'UNKNOWN_TOPIC_OR_PARTITION',
    ],
    [
      'a service error of AWS',
      error({ name: 'QueueDoesNotExist', Code: 'AWS.SimpleQueueService.NonExistentQueue' }),
      'AWS.SimpleQueueService.NonExistentQueue',
    ],
    ['a service error of AWS without a code', error({ name: 'RequestThrottled' }), 'RequestThrottled'],
    ['a reply of AMQP', error({ code: 406 }), 'precondition-failed'],
    ['the first reply code of AMQP', error({ code: 311 }), 'content-too-large'],
    ['the last reply code of AMQP', error({ code: 541 }), 'internal-error'],
    ['a number that is no reply code', error({ code: 542 }), 'Error'],
    ['a name', new PaymentError('x'), 'PaymentError'],
    ['an error of the language', new TypeError('x'), 'TypeError'],
    ['a name before a code', Object.assign(new TypeError('x'), { code: 'ERR_INVALID_ARG_TYPE' }), 'TypeError'],
    ['a code where the name says nothing', error({ code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['a class where the name says nothing', new Unnamed('x'), 'Unnamed'],
    ['nothing but an error', new Error('x'), 'Error'],
    [
      'a wrapper of Kafka',
      error({ name: 'KafkaJSNumberOfRetriesExceeded', cause: error({ type: 'LEADER_NOT_AVAILABLE' }) }),
      'LEADER_NOT_AVAILABLE',
    ],
    ['a wrapper without a cause', error({ name: 'KafkaJSNumberOfRetriesExceeded' }), 'KafkaJSNumberOfRetriesExceeded'],
    ['a wrapper that says something', error({ name: 'Mine', cause: new PaymentError('x') }), 'Mine'],
    ['several errors', new AggregateError([error({ code: 'ECONNREFUSED' }), new Error('y')]), 'ECONNREFUSED'],
    ['several errors with a code', Object.assign(new AggregateError([]), { code: 'ETIMEDOUT' }), 'AggregateError'],
    ['a plain object', { code: 'NOPE' }, 'NOPE'],
    ['an object without a prototype', Object.create(null), '_OTHER'],
    ['free text as a name', error({ name: 'order 4711 is gone' }), 'Error'],
    ['an overlong name', error({ name: 'x'.repeat(101) }), 'Error'],
    ['the longest name', error({ name: 'x'.repeat(100) }), 'x'.repeat(100)],
    ['a text', 'boom', '_OTHER'],
    ['a number', 1, '_OTHER'],
    ['null', null, '_OTHER'],
    ['undefined', undefined, '_OTHER'],
    ['a function', () => {}, '_OTHER'],
  ])('of %s', (_, thrown, expected) => {
    expect(errorType(thrown)).toBe(expected);
  });

  test('of wrappers around each other is found', () => {
    const circle = error({ name: 'KafkaJSNonRetriableError' });
    Object.assign(circle, { cause: circle });
    expect(errorType(circle)).toBe('KafkaJSNonRetriableError');
  });

  test('of an object whose getters throw is _OTHER', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('hostile');
        },
      },
    );
    expect(errorType(hostile)).toBe('_OTHER');
  });
});

describe('an error', () => {
  test.each<[string, unknown, boolean]>([
    ['of this realm', new PaymentError('x'), true],
    ['of another realm', runInNewContext('new TypeError("x")'), true],
    ['only by its prototype', Object.create(Error.prototype), true],
    ['in shape only', { name: 'Error', message: 'x' }, false],
    ['null', null, false],
  ])('%s', (_, value, expected) => {
    expect(isError(value)).toBe(expected);
  });
});

describe('a failure of ours', () => {
  const lines: unknown[][] = [];
  const diag = { error: (...line: unknown[]) => void lines.push(line) } as unknown as DiagLogger;
  const fails = () => {
    throw new Error('ours');
  };

  test('is logged by what could not be done, and answered with the fallback', () => {
    expect(guard(diag, 'do it', 'fallback', fails)).toBe('fallback');
    expect(lines.pop()).toEqual(['could not do it', expect.stringContaining('ours')]);
  });

  test('is no matter where there is none', () => {
    expect(guard(diag, 'do it', 'fallback', () => 'result')).toBe('result');
    expect(lines).toEqual([]);
  });

  test('of the logger itself is ignored', () => {
    const throwing = { error: fails } as unknown as DiagLogger;
    expect(() => report(throwing, 'do it', 'x')).not.toThrow();
    expect(() => report(diag, 'do it', Object.create(null))).not.toThrow();
  });
});
