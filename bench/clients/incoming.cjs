/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// Enough distinct contexts that nothing per message can be answered from a cache of the last one.
const CONTEXTS = 1024;

/** Span ids of the producers of all incoming messages, by which a verification recognises their contexts. */
const incomingSpanIds = new Set(Array.from({ length: CONTEXTS }, (_, i) => spanId(i)));

/** `traceparent` values of incoming messages; unsampled ones where the mode samples nothing. */
function incomingTraceparents(sampled) {
  const flags = sampled ? '01' : '00';
  return Array.from({ length: CONTEXTS }, (_, i) => `00-${traceId(i)}-${spanId(i)}-${flags}`);
}

/** Index into a pool of `CONTEXTS` entries for the n-th message. */
const poolIndex = (n) => n & (CONTEXTS - 1);

function traceId(i) {
  return `4bf92f3577b34da6a3ce929d0e${hex(i)}`;
}

function spanId(i) {
  return `00f067aa0b${hex(i)}`;
}

function hex(i) {
  return (0xa00000 + i * 7).toString(16);
}

module.exports = { CONTEXTS, incomingSpanIds, incomingTraceparents, poolIndex };
