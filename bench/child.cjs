/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { parseArgs } = require('node:util');
const { measure, measureRetained } = require('./measure.cjs');
const { registerSdk } = require('./sdk.cjs');
const { verify } = require('./verify.cjs');

/**
 * One cell of the benchmark in a process of its own: SDK, then instrumentation, then the client, as an application loads them.
 * Prints one line of JSON.
 */
async function main() {
  const { values } = parseArgs({
    options: {
      client: { type: 'string' },
      op: { type: 'string' },
      mode: { type: 'string' },
      contestant: { type: 'string' },
      'slice-ms': { type: 'string', default: '40' },
      slices: { type: 'string', default: '6' },
      'warm-ms': { type: 'string', default: '250' },
      retained: { type: 'string' },
    },
  });
  const sdk = registerSdk(values.mode);
  const client = require(`./clients/${values.client}.cjs`);
  const contestant = require(`./contestants/${values.contestant}.cjs`);
  client.prepare();
  contestant.register(values.client, values.op);
  const tracing = contestant.tracing?.(values.client);
  const operations = await client.open({ sampled: sdk.sampled, ambient: sdk.ambient, tracing });
  const operation = operations[values.op];
  if (operation === undefined) throw new Error(`${values.client} has no operation ${values.op}`);

  const shape = await verify(operation, sdk);
  const result =
    values.retained === undefined
      ? await measure(operation, {
          sliceMs: Number(values['slice-ms']),
          slices: Number(values.slices),
          warmMs: Number(values['warm-ms']),
        })
      : { bytes: await measureRetained(operation, Number(values.retained)) };
  process.stdout.write(`${JSON.stringify({ ...result, messages: operation.messages, shape })}\n`);
  process.exit(0);
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
