/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { launchContainer } from './containers';
import { givenBroker } from './given-broker';
import { launchKafka } from './kafka';
import { launchRabbitmq } from './rabbitmq';
import { installedProgram, unpackedProgram } from './rabbitmq-program';
import { type BrokerName, type Log, type OwnBroker, type RunningBroker, Unavailable } from './running-broker';
import { launchSqs } from './sqs';

export { freePorts } from './ports';
export { RABBITMQ_WRITES_QUEUES_AFTER_MS } from './rabbitmq';
export type { BrokerName, OwnBroker, RunningBroker } from './running-broker';

export interface StartedBrokers {
  /** The variables of all of them together, for the environment of an application. */
  readonly env: Record<string, string>;
  readonly brokers: readonly RunningBroker[];
  stop(): Promise<void>;
}

type Way<T> = (log: Log, settings?: readonly string[]) => Promise<T>;

/** The ways to have one as a process of our own, best first. */
const OWN: Readonly<Record<BrokerName, readonly Way<OwnBroker>[]>> = {
  sqs: [() => launchSqs()],
  rabbitmq: [
    async (_log, settings) => launchRabbitmq(await installedProgram(), settings),
    async (log, settings) => launchRabbitmq(await unpackedProgram(log), settings),
  ],
  kafka: [launchKafka],
};

const CONTAINER: Readonly<Record<BrokerName, readonly Way<RunningBroker>[]>> = {
  sqs: [], // npm always has ours
  rabbitmq: [(log) => launchContainer('rabbitmq', log)],
  kafka: [(log) => launchContainer('kafka', log)],
};

const PROVIDED_BY: Readonly<Record<BrokerName, string>> = {
  sqs: 'npm ci (for fauxqs), or SQS_ENDPOINT=http://host:port',
  rabbitmq: 'sudo apt-get install rabbitmq-server, or RABBITMQ_URL=amqp://user:password@host',
  kafka: 'sudo apt-get install default-jre-headless maven, or KAFKA_BROKERS=host:port',
};

/**
 * Starts the brokers at once, or finds those whose address is in the environment. They end with this process, however it
 * ends. If one cannot be had the others are stopped, and the promise rejects with what was tried and the command that
 * provides it.
 */
export async function startBrokers(
  names: readonly BrokerName[],
  options: { readonly log?: Log } = {},
): Promise<StartedBrokers> {
  const started = await Promise.allSettled(
    [...new Set(names)].map((name) => startBroker(name, options.log ?? (() => {}))),
  );
  const brokers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async () => {
    await Promise.all(brokers.map((broker) => broker.stop()));
  };
  const failures = started.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []));
  if (failures.length > 0) {
    await stop();
    throw new Error(failures.join('\n'));
  }
  return { env: Object.assign({}, ...brokers.map((broker) => broker.env)), brokers, stop };
}

export interface OwnBrokerOptions {
  readonly log?: Log;
  /** RabbitMQ: more lines of its `rabbitmq.conf`. */
  readonly settings?: readonly string[];
}

/** A broker that a test can end and start again, whatever address the environment names. */
export function startOwnBroker(name: BrokerName, { log, settings }: OwnBrokerOptions = {}): Promise<OwnBroker> {
  const ways = OWN[name].map((way) => (say: Log) => way(say, settings));
  return firstThatStarts(name, ways, log);
}

async function startBroker(name: BrokerName, log?: Log): Promise<RunningBroker> {
  const given = await givenBroker(name);
  if (given) {
    log?.(`${name}: ${given.how}`);
    return given;
  }
  return firstThatStarts(name, [...OWN[name], ...CONTAINER[name]], log);
}

async function firstThatStarts<T extends RunningBroker>(
  name: BrokerName,
  ways: readonly Way<T>[],
  log?: Log,
): Promise<T> {
  const startedMs = performance.now();
  const say = (line: string) => log?.(`${name}: ${line}`);
  const tried: string[] = [];
  for (const way of ways) {
    try {
      const broker = await way(say);
      say(`ready in ${((performance.now() - startedMs) / 1000).toFixed(1)} s, ${broker.how}`);
      return broker;
    } catch (error) {
      const reason = (error as Error).message;
      tried.push(`  - ${reason.replaceAll('\n', '\n    ')}`);
      if (!(error instanceof Unavailable)) say(`could not start: ${reason.split('\n')[0]}`);
    }
  }
  throw new Error(`No ${name} to be had:\n${tried.join('\n')}\n  Provide it with: ${PROVIDED_BY[name]}`);
}
