/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { eventually, type OwnBroker, startOwnBroker, startTracing, type Tracing } from '@otel-messaging/test-utils';
import type { ChannelWrapper } from 'amqp-connection-manager';
import type { Channel } from 'amqplib';
import { connectionManager, instrumentation } from './amqplib';
import { freshName } from './broker';

/** `npm run test:restarts` sends ten times as many. */
const MESSAGES = Number(process.env['OTEL_MESSAGING_RESTART_MESSAGES'] ?? 1000);
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
  const attempt = () => {
    const answer = tracing.inSpan('attempt', () => wrapper.sendToQueue(queue, traceId, { persistent: true }), inSpan);
    answer.then(
      () => {
        seen.confirmed.add(traceId);
        seen.onConfirm();
        span.end();
      },
      () => setTimeout(attempt, 20),
    );
  };
  const inSpan = trace.setSpan(ROOT_CONTEXT, span);
  attempt();
}

test(`a broker that is killed and started again with ${MESSAGES} messages in flight`, async () => {
  const queue = freshName('restart');
  const manager = connectionManager.connect([String(broker.env['RABBITMQ_URL'])], { reconnectTimeInSeconds: 0.1 });
  const wrapper = manager.createChannel({
    setup: async (channel: Channel) => {
      await channel.assertQueue(queue, { durable: true });
      await channel.prefetch(100);
    },
  });
  wrapper.on('error', () => {});
  let onConfirm = () => {};
  const firstConfirm = new Promise<void>((resolve) => {
    onConfirm = resolve;
  });
  const seen: Seen = { confirmed: new Set(), handled: new Map(), inOtherTraces: [], onConfirm };
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

  // A third is under way when the broker dies, a third waits for it, a third comes as it returns.
  const third = Math.ceil(MESSAGES / 3);
  for (let i = 0; i < third; i++) publish(wrapper, queue, seen);
  await firstConfirm;
  await broker.halt('SIGKILL');
  const confirmedBefore = seen.confirmed.size;
  await eventually('the manager knows', () => !manager.isConnected(), WAIT_MS);
  for (let i = 0; i < third; i++) publish(wrapper, queue, seen);
  const restarted = broker.restart();
  for (let i = 2 * third; i < MESSAGES; i++) {
    publish(wrapper, queue, seen);
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await restarted;

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
    `${MESSAGES} messages, ${confirmedBefore} confirmed when the broker died: ${sends.length - MESSAGES} publishes failed and ` +
      `were made again, ${handlings.length} deliveries, ${handlings.length - MESSAGES} of them again\n`,
  );
}, 240_000);
