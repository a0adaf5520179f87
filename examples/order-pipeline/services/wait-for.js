/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { setTimeout: sleep } = require('node:timers/promises');

/** The answer of `attempt`, asked again every 200 ms for as long as it fails, up to half a minute. */
async function waitFor(what, attempt) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${what} is not there`, { cause: error });
      await sleep(200);
    }
  }
}

module.exports = { waitFor };
