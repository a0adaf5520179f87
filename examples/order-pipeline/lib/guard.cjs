/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Preloaded into every service of the demo: ends it when the runner is gone, however the runner ended.
// Descriptor 3 is a pipe that the runner holds open and never writes to.
const { Socket } = require('node:net');
const { isMainThread } = require('node:worker_threads');

// Module hooks run preloads once more in a thread of their own.
if (isMainThread) {
  const runner = new Socket({ fd: 3 });
  const leave = () => process.kill(process.pid, 'SIGKILL');
  runner.on('end', leave).on('error', leave).resume();
  runner.unref(); // does not keep a service alive that has nothing left to do
}
