/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { accepts } from './ports';
import type { BrokerName, RunningBroker } from './running-broker';
import { TEST_ACCOUNT } from './sqs';

const VARIABLE = { sqs: 'SQS_ENDPOINT', rabbitmq: 'RABBITMQ_URL', kafka: 'KAFKA_BROKERS' } as const;
const DEFAULT_PORT: Readonly<Record<string, number>> = { 'amqp:': 5672, 'amqps:': 5671, 'http:': 80, 'https:': 443 };

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
  try {
    const first = address.split(',')[0]!.trim();
    const url = new URL(name === 'kafka' ? `kafka://${first}` : first);
    const port = Number(url.port) || DEFAULT_PORT[url.protocol] || 9092;
    return [url.hostname.replace(/^\[(.*)\]$/, '$1'), port];
  } catch {
    // Not repeated in the message: it may hold a password.
    throw new Error(`${VARIABLE[name]} is not an address`);
  }
}

function givenAccount(): Record<string, string> {
  const given = Object.keys(TEST_ACCOUNT).map((key) => [key, process.env[key]] as const);
  return {
    ...TEST_ACCOUNT,
    ...Object.fromEntries(given.filter((pair): pair is [keyof typeof TEST_ACCOUNT, string] => !!pair[1])),
  };
}
