/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between a client and the broker, that can fail. */
export interface Line {
  /** The broker's address as clients are to use it. */
  readonly url: string;
  /** Ends all connections, and refuses new ones. */
  cut(): void;
  /** Lets new connections through again. */
  mend(): void;
  /** Keeps back what the broker says, until the line is cut: what was sent is not confirmed. */
  silenceBroker(): void;
  close(): Promise<void>;
}

/** A line to a broker on this machine. */
export async function startLine(brokerUrl: string): Promise<Line> {
  const broker = new URL(brokerUrl);
  const sockets = new Set<Socket>();
  const fromBroker = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    client.on('error', () => {});
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(broker.port || 5672), broker.hostname);
    upstream.on('error', () => {});
    fromBroker.add(upstream);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on('close', () => {
        sockets.delete(socket);
        fromBroker.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(broker);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    cut,
    mend: () => {
      isCut = false;
    },
    silenceBroker: () => {
      for (const socket of fromBroker) {
        socket.unpipe();
        socket.pause();
      }
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
