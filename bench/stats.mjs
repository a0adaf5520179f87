/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** Middle value of a sorted copy; interpolated between the two middle ones. */
export const median = (values) => quantile(values, 0.5);

/** Median and quartiles. */
export function summarise(values) {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

function quantile(values, share) {
  const sorted = values.slice().sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}
