/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// A shop, a queue and a Lambda function, without a line of tracing code: sends three orders, plays the service, prints the
// traces and verifies them. From the root of the repository: npm run example -- lambda
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { runEventSource } from './lib/event-source.mjs';
import { check, tracesAsText } from './lib/traces.mjs';

const require = createRequire(import.meta.url);
const { startBrokers, startRuntimeInterface } = require('@otel-messaging/test-utils');
const { startReceiver } = require('../order-pipeline/lib/receiver.js');

const HERE = import.meta.dirname;
const RUNTIME = join(HERE, '../../test-utils/lambda/runtime.mjs');
const ORDERS = ['A', 'B', 'C'];

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // noise here: the example runs on Node 20 too

const brokers = await startBrokers(['sqs'], { log: (text) => console.error(text) });
Object.assign(process.env, brokers.env);
const receiver = await startReceiver();
const sqs = new SQSClient({ endpoint: process.env.SQS_ENDPOINT });
const queue = async (QueueName) => (await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl;
const orders = await queue(`orders-${process.pid}`);
const invoices = await queue(`invoices-${process.pid}`);

const shop = start([join(HERE, 'shop.mjs')], { OTEL_SERVICE_NAME: 'shop', QUEUE_URL: orders, ORDERS: ORDERS.join() });
await new Promise((resolve) => shop.once('exit', resolve));

let lambda;
const service = await startRuntimeInterface({
  handler: 'function/orders.handler',
  root: HERE,
  functionName: 'orders',
  freeze: (isFrozen) => lambda?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT'),
});
lambda = start([RUNTIME], { OTEL_SERVICE_NAME: 'lambda', INVOICES_URL: invoices, ...service.env });
const calls = await runEventSource(sqs, orders, service.invoke);
lambda.kill('SIGKILL'); // as it is: what it had to say was exported before each answer

const spans = receiver.take();
for (const span of spans) span.name = span.name.replace(`-${process.pid}`, '');
console.log(`${tracesAsText(spans)}\n`);
const checks = Object.entries(check(spans, { orders: ORDERS.length, calls }));
for (const [promise, holds] of checks) console.log(`${holds ? '✓' : '✗'} ${promise}`);
process.exitCode = checks.every(([, holds]) => holds) ? 0 : 1;

sqs.destroy();
await service.close();
await receiver.stop();
await brokers.stop();

/** A process with the preload, which exports to us. */
function start(args, env) {
  return spawn(process.execPath, args, {
    cwd: HERE,
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_OPTIONS: '--require @otel-messaging/auto/register',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http',
      ...env,
    },
  });
}
