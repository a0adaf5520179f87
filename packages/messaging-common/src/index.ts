/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

export { InstrumentationNodeModuleDefinition, InstrumentationNodeModuleFile } from '@opentelemetry/instrumentation';
export type { ActiveOperation } from './active-operation';
export { followAsyncIteration } from './async-iteration';
export { awaitMessages } from './awaited-messages';
export type { BatchProcessOperation, BatchSetting } from './batch-process-operation';
export { BoundedMap } from './bounded-map';
export { captureContext } from './capture-context';
export { CarrierCounts, type CarrierKind } from './carrier-counts';
export type { MessagingInstrumentationConfig, ResolvedConfig, SpanHookInfo } from './config';
export { suppressed } from './context';
export { type Delivery, deliveryOf } from './delivery';
export { errorType, guard } from './errors';
export { Given } from './given';
export { type Handled, handledHere } from './handled-here';
export { MessagingInstrumentation } from './instrumentation';
export { isFollowed } from './iteration';
export type { LagSource } from './lag-gauge';
export type { AwaitedModule } from './loaded-early';
export { moduleFile } from './module-file';
export { nestModule } from './nestjs';
export type {
  Destination,
  Learned,
  MessageFacts,
  MessageOutcome,
  MessageReader,
  MessageWriter,
  OperationFacts,
  OperationType,
  Outcome,
  OutgoingContext,
  RemoteContext,
  Server,
  Settlement,
} from './operation';
export type { AnyFunction, Patches } from './patching';
export type { OperationPlan } from './plan';
export { type HandlerManner, type ProcessOperation, runningHandler } from './process-operation';
export { isObservable } from './promises';
export type { ReceiveOperation } from './receive-operation';
export * as semconv from './semconv';
export type { BatchSendOperation, SendOperation } from './send-operation';
export type { SettleOperation } from './settle-operation';
export { OpenDeliveries } from './settlement';
export { TagMap } from './tag-map';
export { followIndex, letGoOfAllTaken, letGoOfTaken, unfollow } from './taking';
export { Telemetry } from './telemetry';
