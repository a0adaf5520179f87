/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';

/** Below lie the well-known ones, and those that `fetch` refuses to talk to (10080 is the last). */
const FIRST_PORT = 11_000;
/** Fewer than these to choose from, and processes that choose at the same time would meet too often. */
const ENOUGH = 500;
/** RFC 6335, section 6: where systems choose by themselves, unless they say otherwise. */
const FIRST_EPHEMERAL_PORT = 49_152;

/** What servers, epmd and container engines say of a port that another process has. */
const PORT_TAKEN = /eaddrinuse|already in use|already a epmd|failed to bind|already allocated/i;
const ATTEMPTS = 3;

/**
 * Different loopback ports that were free a moment ago, and which no outgoing connection is given meanwhile: each of those has
 * a port of this machine, too, and a broker that comes back to its own would find it taken.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  while (servers.length < count) servers.push(await listening());
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** What `start` makes of free ports. Another process may take one before `start` does, which is tried again with others. */
export async function onFreePorts<T>(count: number, start: (...ports: number[]) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(...(await freePorts(count)));
    } catch (error) {
      if (attempt === ATTEMPTS || !PORT_TAKEN.test(String(error))) throw error;
    }
  }
}

async function listening(): Promise<Server> {
  const end = firstEphemeralPort();
  for (let attempt = 1; ; attempt++) {
    const port = end - FIRST_PORT >= ENOUGH ? randomInt(FIRST_PORT, end) : 0;
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
      return server;
    } catch (error) {
      if (attempt === ENOUGH) throw error;
    }
  }
}

function firstEphemeralPort(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return FIRST_EPHEMERAL_PORT; // no Linux
  }
}

/** Whether something accepts connections there within `timeoutMs`. */
export function accepts(host: string, port: number, timeoutMs = 5_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done(false), timeoutMs);
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
