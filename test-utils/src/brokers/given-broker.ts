/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { accepts } from './ports';
import type { BrokerName, RunningBroker } from './running-broker';
import { TEST_ACCOUNT } from './sqs';

const VARIABLE = { sqs: 'SQS_ENDPOINT', rabbitmq: 'RABBITMQ_URL', kafka: 'KAFKA_BROKERS' } as const;
const EXAMPLE = {
  sqs: 'http://127.0.0.1:9324',
  rabbitmq: 'amqp://user:password@127.0.0.1:5672',
  kafka: '127.0.0.1:9092,127.0.0.1:9093',
} as const;
const DEFAULT_PORT = {
  sqs: { 'http:': 80, 'https:': 443 },
  rabbitmq: { 'amqp:': 5672, 'amqps:': 5671 },
  kafka: { 'kafka:': 9092 },
} as const;

/**
 * The broker whose address is in the environment, if there is one there. One that does not answer is an error and no reason to take another:
 * who names an address means that one.
 */
export async function givenBroker(name: BrokerName): Promise<RunningBroker | undefined> {
  const variable = VARIABLE[name];
  const address = process.env[variable];
  if (!address) return undefined;
  const [host, port] = firstHost(name, address);
  if (!(await accepts(host, port))) throw new Error(`${variable} names ${host}:${port}, where nothing answers`);
  return {
    name,
    how: `${variable} of the environment (${host}:${port})`,
    env: name === 'sqs' ? { ...givenAccount(), [variable]: address } : { [variable]: address },
    stop: async () => {},
  };
}

function firstHost(name: BrokerName, address: string): [host: string, port: number] {
  const first = address.split(',')[0]!.trim();
  const url = parsed(name === 'kafka' ? `kafka://${first}` : first);
  const defaultPort = (DEFAULT_PORT[name] as Readonly<Record<string, number>>)[url?.protocol ?? ''];
  // Not repeated in the message: it may hold a password.
  if (!url || !defaultPort) throw new Error(`${VARIABLE[name]} is not an address such as ${EXAMPLE[name]}`);
  return [url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost', Number(url.port) || defaultPort];
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function givenAccount(): Record<string, string> {
  const given = Object.entries(TEST_ACCOUNT).map(([key, value]) => [key, process.env[key] || value]);
  return Object.fromEntries(given);
}
