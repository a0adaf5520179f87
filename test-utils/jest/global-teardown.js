/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

'use strict';

module.exports = async function globalTeardown() {
  await globalThis.__OTEL_MESSAGING_BROKERS__?.stop();
};
