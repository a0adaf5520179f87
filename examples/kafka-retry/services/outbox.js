/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Stands in for a table of the shop's database: rows as lines of a file, written once and read in their order.
const { appendFileSync, existsSync, readFileSync } = require('node:fs');

const { OUTBOX } = process.env;

function insert(row) {
  appendFileSync(OUTBOX, `${JSON.stringify(row)}\n`);
}

/** The rows after the first `count`. */
function rowsAfter(count) {
  if (!existsSync(OUTBOX)) return [];
  const lines = readFileSync(OUTBOX, 'utf8').split('\n').slice(0, -1);
  return lines.slice(count).map((line) => JSON.parse(line));
}

module.exports = { insert, rowsAfter };
