/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { join } = require('node:path');

/** The ways the same five services can be started: what `node --require` gets, and what keeps their queues apart. */
const VARIANTS = {
  'otel-messaging': { name: 'otel-messaging', prefix: '', preload: ownPreload },
  upstream: { name: 'upstream', prefix: 'upstream-', preload: () => join(__dirname, '..', 'upstream-register.cjs') },
  without: { name: 'without', prefix: 'without-', preload: () => undefined },
};

function ownPreload() {
  try {
    return require.resolve('@otel-messaging/auto/register');
  } catch (error) {
    throw new Error('@otel-messaging/auto is not built: run npm run build', { cause: error });
  }
}

module.exports = { VARIANTS };
