/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { entryOutcomes, regionOfUrl, requestAttributes, serverOfEndpoint, serverOfUrl } from '../src/operations';

test.each([
  ['https://sqs.eu-west-1.amazonaws.com/1/orders', { address: 'sqs.eu-west-1.amazonaws.com', port: 443 }, 'eu-west-1'],
  [
    'https://sqs-fips.us-gov-west-1.amazonaws.com/1/orders',
    { address: 'sqs-fips.us-gov-west-1.amazonaws.com', port: 443 },
    'us-gov-west-1',
  ],
  ['http://127.0.0.1:4566/000000000000/orders', { address: '127.0.0.1', port: 4566 }, undefined],
  ['orders', undefined, undefined],
])('queue %p is on server %p in region %p', (url, server, region) => {
  expect(serverOfUrl(url)).toEqual(server);
  expect(regionOfUrl(url)).toBe(region);
});

test.each([
  [
    'the older form',
    { protocol: 'http:', hostname: 'localhost', port: 4566, path: '/' },
    { address: 'localhost', port: 4566 },
  ],
  [
    'the older form without a port',
    { protocol: 'https:', hostname: 'sqs.test', path: '/' },
    { address: 'sqs.test', port: 443 },
  ],
  ['the newer form', { url: new URL('http://localhost:4566') }, { address: 'localhost', port: 4566 }],
  ['nothing', undefined, undefined],
  ['what is no endpoint', { url: 7 }, undefined],
])('an endpoint in %s', (_, endpoint, server) => {
  expect(serverOfEndpoint(endpoint)).toEqual(server);
});

test.each([
  [
    'an answer',
    { $metadata: { requestId: 'r', extendedRequestId: 'e' } },
    { 'aws.request_id': 'r', 'aws.extended_request_id': 'e' },
  ],
  ['an answer without', { $metadata: {} }, {}],
  ['an error of another kind', new Error('x'), {}],
  ['nothing', undefined, {}],
  ['a text', 'thrown', {}],
])('ids of the request in %s', (_, answer, expected) => {
  expect(requestAttributes(answer, false)).toEqual(expected);
});

test('a batch is answered by entry id, in any order; entries without an answer are not failures', () => {
  const entries = [{ Id: 'a' }, { Id: 'b' }, { Id: 'c' }];
  const answer = {
    Successful: [{ Id: 'c', MessageId: 'm' }],
    Failed: [{ Id: 'a', Code: 'InternalError', Message: 'no' }],
  };
  const [first, second, third] = entryOutcomes(entries, answer);
  expect(first?.error).toMatchObject({ name: 'InternalError', message: 'no' });
  expect(second).toEqual({});
  expect(third).toEqual({ attributes: { 'messaging.message.id': 'm' } });
  expect(entryOutcomes(entries, undefined)).toEqual([{}, {}, {}]);
});
