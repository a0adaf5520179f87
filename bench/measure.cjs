/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { setImmediate: macrotask } = require('node:timers/promises');

const STABLE_SLICES = 3;
const STABLE_WITHIN = 0.04;
const RETAINED_ROUNDS = 3;

/**
 * CPU nanoseconds per message of several slices, after a warm-up that ends when consecutive slices agree.
 * `operation.run(n)` performs n calls of `operation.messages` messages each.
 */
async function measure(operation, { sliceMs, slices, warmMs }) {
  const calls = await warm(operation, sliceMs, warmMs);
  const perMessage = [];
  for (let i = 0; i < slices; i++) {
    // Young generation only: a full collection discards optimised code whose object shapes have no instance left just then.
    global.gc({ type: 'minor' });
    perMessage.push((await cpuOf(operation, calls)) / (calls * operation.messages));
  }
  return { calls, perMessage };
}

/** Bytes that stay in the heap per message after the garbage collector ran; median of a few rounds. */
async function measureRetained(operation, messages) {
  const calls = Math.ceil(messages / operation.messages);
  await operation.run(calls);
  const perMessage = [];
  for (let i = 0; i < RETAINED_ROUNDS; i++) {
    const before = await settledHeap();
    await operation.run(calls);
    const after = await settledHeap();
    perMessage.push((after - before) / (calls * operation.messages));
  }
  return perMessage.sort((a, b) => a - b)[RETAINED_ROUNDS >> 1];
}

/** Runs slices until their speed no longer changes; the number of calls of a slice that takes `sliceMs` at that speed. */
async function warm(operation, sliceMs, warmMs) {
  const recent = [];
  let calls = 16;
  let spentMs = 0;
  for (;;) {
    const sliceSpentMs = (await cpuOf(operation, calls)) / 1e6;
    spentMs += sliceSpentMs;
    const perCall = sliceSpentMs / calls;
    recent.push(perCall);
    if (recent.length > STABLE_SLICES) recent.shift();
    // At most twice as many as before: the first calls run uncompiled and say little about the speed to come.
    calls = Math.max(16, Math.min(calls * 2, Math.ceil(sliceMs / Math.max(perCall, 1e-6))));
    const fullSize = sliceSpentMs > sliceMs / 2;
    const stable = recent.length === STABLE_SLICES && Math.max(...recent) <= Math.min(...recent) * (1 + STABLE_WITHIN);
    if (fullSize && ((stable && spentMs >= warmMs) || spentMs >= 3 * warmMs)) return calls;
  }
}

/** CPU nanoseconds of n calls: user and system time of every thread of this process, so that collecting garbage counts. */
async function cpuOf(operation, calls) {
  const start = process.cpuUsage();
  await operation.run(calls);
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}

async function settledHeap() {
  await collectGarbage();
  await collectGarbage();
  return process.memoryUsage().heapUsed;
}

async function collectGarbage() {
  await macrotask();
  global.gc();
  await macrotask();
}

module.exports = { measure, measureRetained };
