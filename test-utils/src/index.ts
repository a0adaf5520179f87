/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export * from './brokers';
export * from './conformance';
export * from './contract';
export * from './covering';
export * from './frozen';
export * from './harness';
export * from './lambda';
export * from './line';
export * from './odd-arguments';
export * from './trace-text';
export * from './tracing';
export * from './waiting';
