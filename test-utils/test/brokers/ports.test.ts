/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type AddressInfo, createServer, type Server } from 'node:net';
import { freePorts, onFreePorts } from '../../src/brokers/ports';

const listening = async (port: number) => {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return server;
};
const portOf = (server: Server) => (server.address() as AddressInfo).port;

test('free ports are different, and below all that the system gives to others', async () => {
  const ports = await freePorts(50);
  const servers = await Promise.all(Array.from({ length: 50 }, () => listening(0)));
  const others = servers.map(portOf);
  for (const server of servers) server.close();
  expect(new Set(ports).size).toBe(50);
  const first = Math.min(...others);
  if (first < 12_000)
    return console.log(`not applicable: this system gives ports from ${first} on, which leaves too few`);
  expect(Math.max(...ports)).toBeLessThan(first);
});

test('a start whose port was taken meanwhile is tried again with another', async () => {
  const another = await listening(0);
  const tried: number[] = [];
  const server = await onFreePorts(1, (port) => listening(tried.push(port) === 1 ? portOf(another) : port));
  expect(tried).toEqual([expect.any(Number), portOf(server)]);
  server.close();
  another.close();
});

test('any other failure is not tried again, and a port that is always taken only three times', async () => {
  const failing = (message: string) => jest.fn(() => Promise.reject(new Error(message)));
  const broken = failing('out of memory');
  await expect(onFreePorts(1, broken)).rejects.toThrow('out of memory');
  expect(broken).toHaveBeenCalledTimes(1);
  const taken = failing('bind: Address already in use');
  await expect(onFreePorts(1, taken)).rejects.toThrow('already in use');
  expect(taken).toHaveBeenCalledTimes(3);
});
