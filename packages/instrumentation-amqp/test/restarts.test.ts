/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { setTimeout } from 'node:timers/promises';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import {
  eventually,
  type OwnBroker,
  RABBITMQ_WRITES_QUEUES_AFTER_MS,
  startOwnBroker,
  startTracing,
  type Tracing,
} from '@otel-messaging/test-utils';
import type { AmqpConnectionManager, ChannelWrapper } from 'amqp-connection-manager';
import type { Channel } from 'amqplib';
import { connectionManager, instrumentation } from './amqplib';
import { freshName } from './broker';

/** `npm run test:restarts` kills more often, and sends more. */
const KILLS = Number(process.env['OTEL_MESSAGING_RESTARTS'] ?? 1);
const MESSAGES_A_KILL = KILLS > 1 ? 12_000 : 1200;
const MESSAGES = KILLS * MESSAGES_A_KILL;
const WAIT_MS = 90_000;

let broker: OwnBroker;
let tracing: Tracing;

beforeAll(async () => {
  broker = await startOwnBroker('rabbitmq');
  tracing = startTracing([instrumentation]);
}, WAIT_MS);

afterAll(async () => {
  await tracing.stop();
  await broker.stop();
});

/** What an application saw, by what it wrote into its messages: the trace that it published them in. */
interface Seen {
  published: number;
  readonly confirmed: Set<string>;
  readonly handled: Map<string, number>;
  readonly inOtherTraces: string[];
  /** Called at each confirm. */
  onConfirm(): void;
}

/** Publishes in a trace of the application's own, again until the broker has confirmed; answers are not waited for. */
function publish(wrapper: ChannelWrapper, queue: string, seen: Seen): void {
  const span = trace.getTracer('application').startSpan('app');
  const { traceId } = span.spanContext();
  seen.published++;
  const attempt = () => {
    const answer = tracing.inSpan('attempt', () => wrapper.sendToQueue(queue, traceId, { persistent: true }), inSpan);
    answer.then(
      () => {
        seen.confirmed.add(traceId);
        seen.onConfirm();
        span.end();
      },
      () => globalThis.setTimeout(attempt, 20),
    );
  };
  const inSpan = trace.setSpan(ROOT_CONTEXT, span);
  attempt();
}

/** A third is under way when the broker dies, a third waits for it, a third comes as it returns; how many were not confirmed. */
async function killedAndStartedAgain(manager: AmqpConnectionManager, seen: Seen, publishOne: () => void) {
  await eventually('a connection', () => manager.isConnected(), WAIT_MS);
  const third = MESSAGES_A_KILL / 3;
  const firstConfirm = new Promise<void>((resolve) => {
    seen.onConfirm = resolve;
  });
  for (let i = 0; i < third / 2; i++) publishOne();
  await firstConfirm;
  for (let i = 0; i < third / 2; i++) publishOne();
  await new Promise(setImmediate);
  await broker.halt('SIGKILL');
  await eventually('the manager knows', () => !manager.isConnected(), WAIT_MS);
  const unconfirmed = seen.published - seen.confirmed.size;
  for (let i = 0; i < third; i++) publishOne();
  const restarted = broker.restart();
  for (let i = 0; i < third; i++) {
    publishOne();
    if (i % 100 === 0) await setTimeout(10);
  }
  await restarted;
  return unconfirmed;
}

test(`a broker that is killed ${KILLS === 1 ? 'once' : `${KILLS} times`} with ${MESSAGES_A_KILL} messages in flight`, async () => {
  const queue = freshName('restart');
  const manager = connectionManager.connect([String(broker.env['RABBITMQ_URL'])], { reconnectTimeInSeconds: 0.1 });
  const wrapper = manager.createChannel({
    setup: async (channel: Channel) => {
      await channel.assertQueue(queue, { durable: true });
      await channel.prefetch(100);
    },
  });
  wrapper.on('error', () => {});
  const seen: Seen = { published: 0, confirmed: new Set(), handled: new Map(), inOtherTraces: [], onConfirm: () => {} };
  await wrapper.waitForConnect();
  await wrapper.consume(queue, async (message) => {
    const body = message.content.toString();
    const traceIds = () => trace.getActiveSpan()?.spanContext().traceId;
    if (traceIds() !== body) seen.inOtherTraces.push(body);
    await new Promise(setImmediate);
    if (traceIds() !== body) seen.inOtherTraces.push(body);
    seen.handled.set(body, (seen.handled.get(body) ?? 0) + 1);
    wrapper.ack(message);
  });

  await setTimeout(RABBITMQ_WRITES_QUEUES_AFTER_MS); // or it forgets the queue, with all that it has confirmed
  let lost = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    lost += await killedAndStartedAgain(manager, seen, () => publish(wrapper, queue, seen));
  }
  await eventually('every message is confirmed', () => seen.confirmed.size === MESSAGES, WAIT_MS);
  await eventually('every message is handled', () => seen.handled.size === MESSAGES, WAIT_MS);
  await eventually('every span ends', () => tracing.openSpans === 0, WAIT_MS);
  await manager.close();

  expect([...seen.confirmed].filter((body) => !seen.handled.has(body))).toEqual([]);
  expect(seen.inOtherTraces).toEqual([]);
  expect(tracing.openSpans).toBe(0);

  const spans = tracing.spans();
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const parentOf = (span: (typeof spans)[number]) => byId.get(span.parentSpanContext?.spanId ?? '');
  const sends = spans.filter(({ kind }) => kind === SpanKind.PRODUCER);
  const handlings = spans.filter(({ kind }) => kind === SpanKind.CONSUMER);
  // One span for each attempt of the application's, in its trace; one for each delivery, the child of the attempt's.
  expect(sends.length).toBe(spans.filter(({ name }) => name === 'attempt').length);
  expect(sends.filter((span) => parentOf(span)?.name !== 'attempt')).toEqual([]);
  expect(sends.filter(({ status }) => status.code === 0).length).toBe(MESSAGES);
  expect(handlings.filter((span) => parentOf(span)?.kind !== SpanKind.PRODUCER)).toEqual([]);
  const deliveries = [...seen.handled.values()].reduce((sum, count) => sum + count, 0);
  expect(handlings.length).toBeGreaterThanOrEqual(deliveries);
  process.stderr.write(
    `${MESSAGES} messages, ${KILLS} kills with ${lost} not confirmed: ${sends.length - MESSAGES} publishes failed and were ` +
      `made again, ${handlings.length - MESSAGES} deliveries came again\n`,
  );
}, 600_000);
