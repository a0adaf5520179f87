/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { styleText } = require('node:util');

const SERVICE_COLORS = {
  gateway: 'cyan',
  orders: 'yellow',
  payments: 'magenta',
  shipping: 'blue',
  'dead-letters': 'red',
};

/** Colours for a person at a terminal; plain text for files, pipes and where NO_COLOR asks for it. */
function paintFor(stream, env = process.env) {
  const colorful = Boolean(stream.isTTY) && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = (style, text) => (colorful ? styleText(style, text, { validateStream: false }) : text);
  return {
    service: (service, text) => paint(SERVICE_COLORS[service] ?? 'white', text),
    dim: (text) => paint('dim', text),
    bold: (text) => paint('bold', text),
    good: (text) => paint('green', text),
    bad: (text) => paint('red', text),
  };
}

module.exports = { paintFor };
