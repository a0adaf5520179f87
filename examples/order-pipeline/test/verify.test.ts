/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { goodRun, SERVICES, type TestOrder, type TestSpan } from './pipeline-spans';

const { verify } = require('../lib/verify.js') as {
  verify: (spans: TestSpan[], orders: TestOrder[], services: string[]) => { name: string; problems: string[] }[];
};

const COMPLETE = 'every order went the whole way';
const ONE_TRACE = 'one trace per order, from the gateway to the last handler';
const NO_ORPHANS = 'no orphan span';
const NOT_TWICE = 'no span twice';
const OWN_PRODUCER = 'every consumer span under its own producer';
const ALL_SERVICES = 'all services seen';

/** The problems of a good run after `breakIt`, by the check that found them; checks without any are left out. */
function problemsAfter(
  breakIt: (run: ReturnType<typeof goodRun>, find: (service: string, name: RegExp, order?: number) => TestSpan) => void,
) {
  const run = goodRun();
  const find = (service: string, name: RegExp, order = 1) =>
    run.spans.find((span) => span.service === service && name.test(span.name) && span.traceId.endsWith(String(order)))!;
  breakIt(run, find);
  const checks = verify(run.spans, run.orders, SERVICES).filter(({ problems }) => problems.length > 0);
  return Object.fromEntries(checks.map(({ name, problems }) => [name, problems]));
}

test('a run as it should be has no problem', () => {
  expect(problemsAfter(() => {})).toEqual({});
});

test('a run without any span fails', () => {
  const problems = problemsAfter((run) => run.spans.splice(0));
  expect(Object.keys(problems)).toEqual([COMPLETE, ONE_TRACE, ALL_SERVICES]);
});

describe(COMPLETE, () => {
  test.each([
    [
      'the producer span of the SQS message is missing',
      'gateway',
      /^send/,
      'A-1: no producer span for its SQS message (aws.sqs/sqs-1)',
    ],
    [
      'the process span of the SQS message is missing',
      'orders',
      /^process/,
      'A-1: 0 consumer spans for 1 deliveries of its SQS message (aws.sqs/sqs-1)',
    ],
    [
      'the producer span of the Kafka message is missing',
      'orders',
      /^send/,
      'A-1: no producer span for its Kafka message (kafka/accepted-orders/0/1)',
    ],
    [
      'the process span of the Kafka message is missing',
      'payments',
      /^process/,
      'A-1: 0 consumer spans for 1 deliveries of its Kafka message (kafka/accepted-orders/0/1)',
    ],
    [
      'the publish span is missing',
      'payments',
      /^publish/,
      'A-1: no producer span for its RabbitMQ message (rabbitmq/rabbit-1)',
    ],
  ])('fails when %s', (_, service, name, problem) => {
    const problems = problemsAfter((run, find) => run.spans.splice(run.spans.indexOf(find(service, name)), 1));
    expect(problems[COMPLETE]).toEqual([problem]);
  });

  test('fails when one of three attempts has no span', () => {
    const problems = problemsAfter((run, find) =>
      run.spans.splice(run.spans.indexOf(find('shipping', /retry\.1/, 3)), 1),
    );
    expect(problems).toEqual({
      [COMPLETE]: ['A-3: 3 consumer spans for 4 deliveries of its RabbitMQ message (rabbitmq/rabbit-3)'],
    });
  });

  test('fails when an order did not reach its last handler', () => {
    const problems = problemsAfter((run) => {
      run.orders[0]!.outcome = undefined;
    });
    expect(problems[COMPLETE]).toEqual(['A-1 did not reach its last handler']);
  });

  test('fails when a service never named the message', () => {
    const problems = problemsAfter((run) => {
      run.orders[0]!.messages.kafka = undefined;
    });
    expect(problems[COMPLETE]).toEqual(['A-1: no service named its Kafka message']);
  });
});

describe(ONE_TRACE, () => {
  test('fails when the trace ends at a queue and a new one begins', () => {
    const problems = problemsAfter((run, find) => {
      const cut = find('payments', /^process/);
      const later = run.spans.filter(({ traceId, startMs }) => traceId === cut.traceId && startMs >= cut.startMs);
      for (const span of later) span.traceId = 'a'.repeat(32);
      cut.parentSpanId = undefined;
    });
    expect(problems[ONE_TRACE]).toEqual([`A-1 is in 2 traces: ${'1'.padStart(32, '0')}, ${'a'.repeat(32)}`]);
  });

  test('fails when two orders are in one trace', () => {
    const problems = problemsAfter((run, find) => {
      const [first, second] = [find('gateway', /POST/, 1), find('gateway', /POST/, 2)];
      for (const span of run.spans.filter(({ traceId }) => traceId === second.traceId)) span.traceId = first.traceId;
      second.parentSpanId = first.spanId;
    });
    expect(problems).toEqual({ [ONE_TRACE]: [`A-2 shares trace ${'1'.padStart(32, '0')} with A-1`] });
  });

  test('fails when the trace does not begin at the gateway', () => {
    const problems = problemsAfter((run, find) => {
      run.spans.splice(run.spans.indexOf(find('gateway', /POST/)), 1);
      find('gateway', /^send/).parentSpanId = undefined;
    });
    expect(problems).toEqual({
      [ONE_TRACE]: [
        `A-1: trace ${'1'.padStart(32, '0')} begins with gateway: send orders PRODUCER, not with the gateway's request`,
      ],
    });
  });

  test('fails when the last handler is not in it', () => {
    const problems = problemsAfter((run, find) => run.spans.splice(run.spans.indexOf(find('dead-letters', /./, 3)), 1));
    expect(problems[ONE_TRACE]).toEqual([
      `A-3: its last handler, in dead-letters, is not in trace ${'3'.padStart(32, '0')}`,
    ]);
  });
});

describe(NO_ORPHANS, () => {
  test('fails when a parent was never received', () => {
    const problems = problemsAfter((run, find) => {
      find('orders', /^delete/).parentSpanId = 'e'.repeat(16);
      run.spans.reverse();
    });
    expect(problems).toEqual({
      [NO_ORPHANS]: [
        `orders: delete orders CLIENT: its parent ${'e'.repeat(16)} is not in trace ${'1'.padStart(32, '0')}`,
      ],
    });
  });

  test('fails when the parent is in another trace', () => {
    const problems = problemsAfter((_, find) => {
      find('orders', /^delete/).parentSpanId = find('orders', /^process/, 2).spanId;
    });
    expect(Object.keys(problems)).toEqual([NO_ORPHANS]);
  });

  test('looks at traces that belong to no order too', () => {
    const problems = problemsAfter((run) => {
      run.spans.at(-1)!.parentSpanId = 'e'.repeat(16);
    });
    expect(Object.keys(problems)).toEqual([NO_ORPHANS]);
  });
});

describe(NOT_TWICE, () => {
  test('fails when the same span arrives twice', () => {
    const problems = problemsAfter((run, find) => run.spans.push({ ...find('orders', /^delete/) }));
    expect(problems).toEqual({ [NOT_TWICE]: ['orders: delete orders CLIENT (1000000000000005) arrived 2 times'] });
  });

  test('fails when two instrumentations each make a span for one send', () => {
    const problems = problemsAfter((run, find) =>
      run.spans.push({ ...find('orders', /^send/), spanId: 'b'.repeat(16) }),
    );
    expect(problems).toEqual({
      [NOT_TWICE]: ['A-1: 2 producer spans for its Kafka message (kafka/accepted-orders/0/1)'],
    });
  });

  test('fails when one delivery has two spans', () => {
    const problems = problemsAfter((run, find) => run.spans.push({ ...find('shipping', /./), spanId: 'b'.repeat(16) }));
    expect(problems).toEqual({
      [NOT_TWICE]: ['A-1: 2 consumer spans for 1 deliveries of its RabbitMQ message (rabbitmq/rabbit-1)'],
    });
  });
});

describe(OWN_PRODUCER, () => {
  test('fails when two messages of a batch are under each other’s producers', () => {
    const problems = problemsAfter((_, find) => {
      const [first, second] = [find('payments', /^process/, 1), find('payments', /^process/, 2)];
      [first.attributes, second.attributes] = [second.attributes, first.attributes];
    });
    expect(problems[OWN_PRODUCER]).toEqual([
      'payments: process accepted-orders CONSUMER of kafka/accepted-orders/0/1 is not under the span that sent this message',
      'payments: process accepted-orders CONSUMER of kafka/accepted-orders/0/2 is not under the span that sent this message',
    ]);
  });

  test('fails when a consumer span hangs under the request instead of the send', () => {
    const problems = problemsAfter((_, find) => {
      find('orders', /^process/).parentSpanId = find('gateway', /POST/).spanId;
    });
    expect(problems).toEqual({
      [OWN_PRODUCER]: ['orders: process orders CONSUMER of aws.sqs/sqs-1 is not under the span that sent this message'],
    });
  });

  test('fails when an attempt hangs under the attempt before it', () => {
    const problems = problemsAfter((_, find) => {
      find('shipping', /retry\.1/, 3).parentSpanId = find('shipping', /paid/, 3).spanId;
    });
    expect(Object.keys(problems)).toEqual([OWN_PRODUCER]);
  });

  test('fails when a consumer span is a root', () => {
    const problems = problemsAfter((_, find) => {
      find('dead-letters', /./, 3).parentSpanId = undefined;
    });
    expect(Object.keys(problems)).toContain(OWN_PRODUCER);
  });

  test('fails when a consumer span is about a message of no order', () => {
    const problems = problemsAfter((run, find) => {
      const stray = { ...find('shipping', /./), spanId: 'b'.repeat(16) };
      run.spans.push({ ...stray, attributes: { ...stray.attributes, 'messaging.message.id': 'other' } });
    });
    expect(problems).toEqual({
      [OWN_PRODUCER]: [
        'shipping: consume shop:order.paid:shipping CONSUMER is about rabbitmq/other, which nobody sent',
      ],
    });
  });
});

describe(ALL_SERVICES, () => {
  test('fails when a service has no span at all', () => {
    const problems = problemsAfter((run) => {
      run.spans = run.spans.filter(({ service }) => service !== 'dead-letters');
    });
    expect(problems[ALL_SERVICES]).toEqual(['no span of dead-letters']);
  });
});
