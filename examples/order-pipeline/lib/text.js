/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

/** `text` in exactly `width` columns: padded, or cut with an ellipsis. */
const fit = (text, width) => (text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width));

const fitRight = (text, width) => (text.length > width ? `${text.slice(0, width - 1)}…` : text.padStart(width));

/** `12.3 ms`, `1.23 s` */
function duration(ms) {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return `${ms >= 100 ? ms.toFixed(0) : ms.toFixed(1)} ms`;
}

module.exports = { fit, fitRight, duration };
