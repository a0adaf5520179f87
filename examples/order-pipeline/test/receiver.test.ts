/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

interface Receiver {
  endpoint: string;
  take: () => { name: string }[];
  stop: () => Promise<void>;
}
type Forwarding = { forwardTo: (path: string) => string | undefined; forwardHeaders: Record<string, string> };

const { startReceiver, forwardingFrom } = require('../lib/receiver.js') as {
  startReceiver: (options?: Partial<Forwarding> & { log?: (text: string) => void }) => Promise<Receiver>;
  forwardingFrom: (env: Record<string, string>) => Forwarding | undefined;
};

const BODY = JSON.stringify({
  resourceSpans: [
    { scopeSpans: [{ spans: [{ name: 'one', kind: 1, startTimeUnixNano: '1', endTimeUnixNano: '2' }] }] },
  ],
});

const post = (url: string, body: RequestInit['body'], headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function receiver(options?: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const started = await startReceiver(options);
  closers.push(started.stop);
  return started;
}

/** A collector that keeps what it gets. */
async function collector(): Promise<{ url: string; got: { url?: string; headers: unknown; body: Buffer }[] }> {
  const got: { url?: string; headers: unknown; body: Buffer }[] = [];
  const server: Server = createServer(async (request, response) => {
    got.push({ url: request.url, headers: request.headers, body: await buffer(request) });
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got };
}

test('spans are kept until they are taken', async () => {
  const { endpoint, take } = await receiver();
  expect((await post(`${endpoint}/v1/traces`, BODY)).status).toBe(200);
  expect(take()).toEqual([expect.objectContaining({ name: 'one' })]);
  expect(take()).toEqual([]);
});

test('a compressed request is read', async () => {
  const { endpoint, take } = await receiver();
  await post(`${endpoint}/v1/traces`, gzipSync(BODY), { 'content-encoding': 'gzip' });
  expect(take()).toHaveLength(1);
});

test('metrics are accepted', async () => {
  const { endpoint, take } = await receiver();
  expect((await post(`${endpoint}/v1/metrics`, '{"resourceMetrics":[]}')).status).toBe(200);
  expect(take()).toEqual([]);
});

test('a request that is not JSON gets a 400', async () => {
  const { endpoint } = await receiver();
  expect((await post(`${endpoint}/v1/traces`, 'no')).status).toBe(400);
});

test('every request is handed on as it came, with the headers that were asked for', async () => {
  const { url, got } = await collector();
  const forwarding = forwardingFrom({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b, x-other=c=d',
  })!;
  const { endpoint, stop } = await startReceiver(forwarding);
  const compressed = gzipSync(BODY);
  await post(`${endpoint}/v1/traces`, compressed, { 'content-encoding': 'gzip' });
  await stop();
  expect(got).toEqual([
    {
      url: '/v1/traces',
      body: compressed,
      headers: expect.objectContaining({ 'content-encoding': 'gzip', 'x-key': 'a b', 'x-other': 'c=d' }),
    },
  ]);
});

test('a collector that is away is named once and disturbs nothing', async () => {
  const log = jest.fn();
  const { endpoint, take, stop } = await startReceiver({ forwardTo: () => 'http://127.0.0.1:9/v1/traces', log });
  await post(`${endpoint}/v1/traces`, BODY);
  await post(`${endpoint}/v1/traces`, BODY);
  await stop();
  expect(take()).toHaveLength(2);
  expect(log.mock.calls).toEqual([
    [expect.stringContaining('could not hand spans on to http://127.0.0.1:9/v1/traces')],
  ]);
});

test.each([
  ['nothing set', {}, undefined],
  ['the common endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, 'http://c:4318/v1/traces'],
  ['the endpoint of traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/in' }, 'http://c/in'],
  ['both', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t' }, 'http://t'],
])('where spans go with %s', (_, env, target) => {
  expect(forwardingFrom(env as Record<string, string>)?.forwardTo('/v1/traces')).toBe(target);
});
