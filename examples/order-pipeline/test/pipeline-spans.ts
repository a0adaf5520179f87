/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** Spans of a run as they should be, for tests to break. Times are made up but in order. */

export interface TestSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  service: string;
  name: string;
  kind: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';
  startMs: number;
  endMs: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string; attributes: Record<string, unknown> }[];
  events: { name: string; atMs: number; attributes: Record<string, unknown> }[];
  error: string | undefined;
  scope: string;
}

export interface TestOrder {
  id: string;
  messages: { sqs?: string; kafka?: string; rabbitmq?: string };
  outcome: 'shipped' | 'dead-lettered' | undefined;
  attempts: number | undefined;
  lines: { service: string; fields: object }[];
}

export const SERVICES = ['gateway', 'orders', 'payments', 'shipping', 'dead-letters'];

/** An order that is shipped at once, one that is shipped at the second attempt, and one that is given up. */
export function goodRun(): { spans: TestSpan[]; orders: TestOrder[] } {
  const orders = [
    orderOf(1, { outcome: 'shipped', attempts: 1 }),
    orderOf(2, { outcome: 'shipped', attempts: 2 }),
    orderOf(3, { outcome: 'dead-lettered', attempts: 3 }),
  ];
  return { orders, spans: [...orders.flatMap(spansOf), pollOf(orders.length)] };
}

function orderOf(number: number, end: Pick<TestOrder, 'outcome' | 'attempts'>): TestOrder {
  const messages = {
    sqs: `aws.sqs/sqs-${number}`,
    kafka: `kafka/accepted-orders/0/${number}`,
    rabbitmq: `rabbitmq/rabbit-${number}`,
  };
  return { id: `A-${number}`, messages, ...end, lines: [] };
}

function spansOf(order: TestOrder): TestSpan[] {
  const number = order.id.slice(2);
  const traceId = number.padStart(32, '0');
  const spans: TestSpan[] = [];
  const add = (
    span: Partial<TestSpan> & Pick<TestSpan, 'service' | 'name' | 'kind' | 'startMs' | 'endMs'>,
  ): TestSpan => {
    const spanId = `${number}${String(spans.length + 1).padStart(15, '0')}`;
    const made = {
      traceId,
      spanId,
      parentSpanId: undefined,
      attributes: {},
      links: [],
      events: [],
      error: undefined,
      scope: 'test',
      ...span,
    };
    spans.push(made);
    return made;
  };

  const sqs = {
    'messaging.system.name': 'aws.sqs',
    'messaging.destination.name': 'orders',
    'messaging.message.id': `sqs-${number}`,
  };
  const kafka = {
    'messaging.system.name': 'kafka',
    'messaging.destination.name': 'accepted-orders',
    'messaging.destination.partition.id': '0',
    'kafka.offset': Number(number),
  };
  const rabbitmq = (destination: string) => ({
    'messaging.system.name': 'rabbitmq',
    'messaging.destination.name': destination,
    'messaging.message.id': `rabbit-${number}`,
  });

  const request = add({ service: 'gateway', name: 'POST', kind: 'SERVER', startMs: 0, endMs: 20 });
  const sent = add({
    service: 'gateway',
    name: 'send orders',
    kind: 'PRODUCER',
    startMs: 5,
    endMs: 19,
    attributes: sqs,
    parentSpanId: request.spanId,
  });
  const processed = add({
    service: 'orders',
    name: 'process orders',
    kind: 'CONSUMER',
    startMs: 30,
    endMs: 60,
    attributes: sqs,
    parentSpanId: sent.spanId,
  });
  const accepted = add({
    service: 'orders',
    name: 'send accepted-orders',
    kind: 'PRODUCER',
    startMs: 42,
    endMs: 50,
    attributes: kafka,
    parentSpanId: processed.spanId,
  });
  add({
    service: 'orders',
    name: 'delete orders',
    kind: 'CLIENT',
    startMs: 50,
    endMs: 58,
    parentSpanId: processed.spanId,
  });
  const charged = add({
    service: 'payments',
    name: 'process accepted-orders',
    kind: 'CONSUMER',
    startMs: 80,
    endMs: 110,
    attributes: kafka,
    parentSpanId: accepted.spanId,
  });
  const paid = add({
    service: 'payments',
    name: 'publish shop:order.paid',
    kind: 'PRODUCER',
    startMs: 98,
    endMs: 104,
    attributes: rabbitmq('shop:order.paid'),
    parentSpanId: charged.spanId,
  });
  let startMs = 106;
  for (let attempt = 1; attempt <= (order.attempts ?? 0); attempt++) {
    const failed = order.outcome === 'dead-lettered' || attempt < (order.attempts ?? 0);
    const key = attempt === 1 ? 'order.paid' : `order.retry.${attempt - 1}`;
    const settlement = { 'messaging.message.settlement': failed ? 'nack' : 'ack' };
    add({
      service: 'shipping',
      name: `consume shop:${key}:shipping`,
      kind: 'CONSUMER',
      startMs,
      endMs: startMs + 15,
      attributes: { ...rabbitmq(`shop:${key}:shipping`), ...settlement },
      parentSpanId: paid.spanId,
    });
    startMs += 15 + 150 * attempt;
  }
  if (order.outcome === 'dead-lettered') {
    add({
      service: 'dead-letters',
      name: 'consume shipping.dead',
      kind: 'CONSUMER',
      startMs,
      endMs: startMs + 6,
      attributes: rabbitmq('shop.failed:order.retry.2:shipping.dead'),
      parentSpanId: paid.spanId,
    });
  }
  return spans;
}

/** A poll is nobody's: a trace of its own that links to the messages it brought. */
function pollOf(count: number): TestSpan {
  const links = Array.from({ length: count }, (_, index) => ({
    traceId: String(index + 1).padStart(32, '0'),
    spanId: `${index + 1}${String(2).padStart(15, '0')}`,
    attributes: {},
  }));
  return {
    traceId: 'f'.repeat(32),
    spanId: 'f'.repeat(16),
    parentSpanId: undefined,
    service: 'orders',
    name: 'receive orders',
    kind: 'CLIENT',
    startMs: 1,
    endMs: 29,
    attributes: {
      'messaging.system.name': 'aws.sqs',
      'messaging.destination.name': 'orders',
      'messaging.batch.message_count': count,
    },
    links,
    events: [],
    error: undefined,
    scope: 'test',
  };
}
