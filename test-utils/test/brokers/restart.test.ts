/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { setTimeout } from 'node:timers/promises';
import amqp from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import { type OwnBroker, RABBITMQ_WRITES_QUEUES_AFTER_MS, startOwnBroker } from '../../src/brokers/index';
import { accepts } from '../../src/brokers/ports';

/** A test may be the first that needs a broker on this machine, and prepare it. */
const FIRST_TIME_MS = 600_000;

let broker: OwnBroker;

afterEach(() => broker.stop());

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'Kafka keeps topics and address over %s and a restart',
  async (signal) => {
    broker = await startOwnBroker('kafka');
    const address = broker.env['KAFKA_BROKERS']!;
    const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 3 }] });
    await admin.disconnect();
    const { pid } = broker;

    await broker.halt(signal);
    expect(await accepts('127.0.0.1', Number(address.split(':')[1]))).toBe(false);
    await broker.restart();

    expect(broker.pid).not.toBe(pid);
    await admin.connect();
    expect(await admin.listTopics()).toEqual(['orders']);
    await admin.disconnect();
  },
  FIRST_TIME_MS,
);

test(
  'RabbitMQ keeps persistent messages and its address over SIGKILL and a restart',
  async () => {
    broker = await startOwnBroker('rabbitmq');
    const url = broker.env['RABBITMQ_URL']!;
    const before = await amqp.connect(url);
    before.on('error', () => {});
    const channel = await before.createConfirmChannel();
    channel.on('error', () => {});
    await channel.assertQueue('orders', { durable: true });
    channel.sendToQueue('orders', Buffer.from('body'), { persistent: true });
    await channel.waitForConfirms();
    await setTimeout(RABBITMQ_WRITES_QUEUES_AFTER_MS);

    await broker.halt('SIGKILL');
    await expect(amqp.connect(url)).rejects.toThrow();
    await broker.restart();

    const after = await amqp.connect(url);
    const message = await (await after.createChannel()).get('orders', { noAck: true });
    expect(message ? message.content.toString() : undefined).toBe('body');
    await after.close();
  },
  FIRST_TIME_MS,
);
