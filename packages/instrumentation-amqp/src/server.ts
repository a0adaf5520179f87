/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Server } from '@otel-messaging/messaging-common';
import type { Connection } from './amqplib';

const DEFAULT_PORT = 5672;
const DEFAULT_TLS_PORT = 5671;

/**
 * The broker that `connect(url)` names, as amqplib reads its argument; undefined where that is not certain. Nothing but
 * host and port leaves this function: a URL holds credentials.
 */
export function serverOf(url: unknown): Server | undefined {
  if (!url) return { address: 'localhost', port: DEFAULT_PORT };
  if (typeof url === 'string') return fromText(url);
  return typeof url === 'object' ? fromParts(url as Record<string, unknown>) : undefined;
}

/** The other end of a connection's socket. */
export function peerOf({ stream }: Connection): Server | undefined {
  const { remoteAddress, remotePort } = stream ?? {};
  if (typeof remoteAddress !== 'string' || remoteAddress === '') return undefined;
  return { address: remoteAddress, port: portOf(remotePort) };
}

function fromText(url: string): Server | undefined {
  const parts = URL.canParse(url) ? new URL(url) : undefined;
  if (parts === undefined || parts.hostname === '') return undefined;
  // A password with an unescaped slash, question mark or hash ends the authority early: what stands at the host's place
  // is then a piece of the credentials.
  if (`${parts.pathname}${parts.search}${parts.hash}`.includes('@')) return undefined;
  return { address: parts.hostname.replace(/^\[|\]$/g, ''), port: portOf(parts.port) ?? defaultPort(parts.protocol) };
}

function fromParts({ hostname, port, protocol }: Record<string, unknown>): Server {
  const address = typeof hostname === 'string' && hostname !== '' ? hostname : 'localhost';
  return { address: address.replace(/^\[|\]$/g, ''), port: portOf(port) ?? defaultPort(protocol) };
}

function defaultPort(protocol: unknown): number {
  return typeof protocol === 'string' && protocol.startsWith('amqps') ? DEFAULT_TLS_PORT : DEFAULT_PORT;
}

function portOf(value: unknown): number | undefined {
  const port = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
