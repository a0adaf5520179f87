/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export type BrokerName = 'sqs' | 'rabbitmq' | 'kafka';

/** A broker that answers, wherever it came from. */
export interface RunningBroker {
  readonly name: BrokerName;
  /** What was chosen and where it listens, for people: `Kafka 4.4.0 from Maven artifacts (127.0.0.1:43211)`. Holds no credentials. */
  readonly how: string;
  /** The variables with which an application finds it. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it and removes its data; does nothing to a broker that was running before us. */
  stop(): Promise<void>;
}

/** A broker that we started as a process of our own, so that a test can end it and start it again. */
export interface OwnBroker extends RunningBroker {
  /** Of the process that runs now; another one after `restart()`. */
  readonly pid: number;
  /** Ends the process and keeps its data (SQS has them in memory only). Default: SIGTERM. */
  halt(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same data and the same port, after `halt()`. */
  restart(): Promise<void>;
}

export type Log = (line: string) => void;

/** One way to come by a broker does not exist on this machine; the next one may. */
export class Unavailable extends Error {}
