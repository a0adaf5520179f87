/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

'use strict';

// An application with a bootstrap of its own: one message goes through SQS, Kafka and RabbitMQ. Prints what it traced.
const { context, metrics, propagation, trace } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } = require('@opentelemetry/core');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} = require('@opentelemetry/sdk-metrics');
const { AmqpInstrumentation } = require('@otel-messaging/instrumentation-amqp');
const { KafkaInstrumentation } = require('@otel-messaging/instrumentation-kafka');
const { SqsInstrumentation } = require('@otel-messaging/instrumentation-sqs');

const spans = [];
const processor = {
  onStart() {},
  onEnd: (span) => spans.push(span),
  forceFlush: async () => {},
  shutdown: async () => {},
};
// SDK 2.x calls it BasicTracerProvider, 3.x TracerProvider, in another package.
const sdk = require(process.env.SDK_TRACE);
const TracerProvider = sdk.BasicTracerProvider ?? sdk.TracerProvider;
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [processor] }));
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(
  new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
);
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
metrics.setGlobalMeterProvider(meterProvider);
registerInstrumentations({
  instrumentations: [new SqsInstrumentation(), new KafkaInstrumentation(), new AmqpInstrumentation()],
});

const {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} = require('@aws-sdk/client-sqs');
const amqplib = require('amqplib');
const { Kafka, logLevel } = require('kafkajs');

const name = `matrix-${process.pid}`;

async function main() {
  const sqs = new SQSClient({
    endpoint: process.env.SQS_ENDPOINT,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const kafka = new Kafka({ brokers: process.env.KAFKA_BROKERS.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: name }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const connection = await amqplib.connect(process.env.RABBITMQ_URL);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(name, { autoDelete: true });

  const arrived = new Promise((resolve) => {
    channel.consume(name, async (message) => {
      await new Promise(setImmediate);
      channel.ack(message);
      resolve({ body: message.content.toString(), baggage: propagation.getActiveBaggage()?.getEntry('tenant')?.value });
    });
  });
  const consumer = kafka.consumer({ groupId: name });
  await consumer.connect();
  await consumer.subscribe({ topic: name, fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) {
        await new Promise(setImmediate);
        channel.sendToQueue(name, message.value);
        await channel.waitForConfirms();
      }
    },
  });

  const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
  await context.with(propagation.setBaggage(context.active(), baggage), () =>
    sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'order' })),
  );
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  for (const message of Messages) {
    await producer.send({ topic: name, messages: [{ value: message.Body }] });
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  }
  const last = await arrived;
  await consumer.disconnect();
  await producer.disconnect();
  await connection.close();
  await new Promise(setImmediate);

  await meterProvider.forceFlush();
  const counted = Object.fromEntries(
    exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .filter(({ scope }) => scope.name.startsWith('@otel-messaging/'))
      .flatMap((scope) =>
        scope.metrics.map((metric) => [
          `${scope.scope.name.split('-').pop()} ${metric.descriptor.name}`,
          metric.dataPoints.length,
        ]),
      ),
  );
  const ours = spans.filter((span) => span.instrumentationScope.name.startsWith('@otel-messaging/'));
  const root = ours.find((span) => span.name === `send ${name}` && span.parentSpanContext === undefined);
  const inTrace = ours.filter((span) => span.spanContext().traceId === root?.spanContext().traceId);
  console.log(JSON.stringify({ last, chain: inTrace.map((span) => span.name.replace(name, '…')).sort(), counted }));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
