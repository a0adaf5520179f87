/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { queueName, recordedUrl } from '../src/queue-url';

test.each([
  ['https://sqs.eu-west-1.amazonaws.com/123456789012/orders', 'orders'],
  ['https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo', 'orders.fifo'],
  ['https://sqs.eu-west-1.amazonaws.com/123456789012/orders/', 'orders'],
  ['https://sqs.eu-west-1.amazonaws.com/123456789012/orders//', 'orders'],
  ['https://user:secret@sqs.test/123456789012/orders/?token=a/b', 'orders'],
  ['orders', 'orders'],
  ['https://sqs.eu-west-1.amazonaws.com/', undefined],
  ['https://sqs.eu-west-1.amazonaws.com', undefined],
  ['/', undefined],
  ['', undefined],
  [undefined, undefined],
])('the name of queue %p is %p', (url, name) => {
  expect(queueName(url)).toBe(name);
});

const URL_OF_QUEUE = 'http://127.0.0.1:4566/000000000000/orders';

test.each([
  ['nothing to hide', URL_OF_QUEUE, URL_OF_QUEUE],
  ['a slash at its end', `${URL_OF_QUEUE}/`, `${URL_OF_QUEUE}/`],
  ['a name in its place', 'orders', 'orders'],
  ['a user and a password', 'http://user:secret@127.0.0.1:4566/000000000000/orders', URL_OF_QUEUE],
  ['a password alone', 'http://:secret@127.0.0.1:4566/000000000000/orders', URL_OF_QUEUE],
  ['a password with an @', 'http://user:sec@ret@127.0.0.1:4566/000000000000/orders', URL_OF_QUEUE],
  ['a password with a slash', 'http://user:sec/ret@127.0.0.1:4566/000000000000/orders', undefined],
  ['a password with a slash after a number', 'http://user:1/secret@127.0.0.1:4566/0/orders', undefined],
  ['a password with a ?', 'http://user:sec?ret@127.0.0.1:4566/000000000000/orders', undefined],
  ['a password without a protocol', 'user:secret@127.0.0.1:4566/000000000000/orders', undefined],
  ['a query', `${URL_OF_QUEUE}?token=secret`, URL_OF_QUEUE],
  ['a query with an @', `${URL_OF_QUEUE}?token=a@secret/b`, URL_OF_QUEUE],
  ['a fragment', `${URL_OF_QUEUE}#secret`, URL_OF_QUEUE],
])('of a URL with %s only what is no secret is recorded', (_, url, recorded) => {
  expect(recordedUrl(url)).toBe(recorded);
});
