/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export { type CallOutcome, outcomeOf, unhandledRejections } from './calls';
export { CHECKS, type Check } from './checks';
export { describeConformance } from './describe';
export * from './hostile';
export type { Capability, Door, Rig, RigClient, RigMessage } from './rig';
