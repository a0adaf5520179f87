/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export { metricProblems, spanProblems } from './check';
export { METRICS, rowOf } from './table';
