/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { parseArgs } = require('node:util');

const USAGE = `usage: npm run demo [-- options]

  (no option)     the five services with the preload of otel-messaging; verifies every trace
  --without       the same services without any tracing, then with otel-messaging, side by side
  --upstream      the same services with upstream's instrumentations, then with otel-messaging, side by side
  --orders N      how many orders to send (default 36)
  --html PATH     where to write the page (default examples/order-pipeline/out/trace.html)
  --verbose       show what the services print
  --help`;

/** What the command line asks for, or `{ error }` with a sentence for the person who wrote it. */
function readArguments(argv) {
  let values;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        without: { type: 'boolean' },
        upstream: { type: 'boolean' },
        orders: { type: 'string', default: '36' },
        html: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { error: error.message };
  }
  const orders = Number(values.orders);
  if (!Number.isInteger(orders) || orders < 1 || orders > 1000)
    return { error: '--orders takes a number from 1 to 1000' };
  if (values.without && values.upstream) return { error: '--without and --upstream exclude each other' };
  const { html, verbose, help } = values;
  const compareWith = values.without ? 'without' : values.upstream ? 'upstream' : undefined;
  return { orders, html, verbose, help, compareWith };
}

module.exports = { readArguments, USAGE };
