/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { probe, probeHandler } = require('./probe.cjs');

// Where Lambda's runtime, and so the instrumentation, looks for the handler: see `prepare` in lambda.cjs.
exports.handler = async ({ Records }) => {
  for (const record of Records) await handle(record);
  return { batchItemFailures: [] };
};

async function handle() {
  if (probe.activeSpanIds !== undefined) probeHandler();
}

exports.handle = handle;
