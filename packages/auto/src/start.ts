/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isMainThread } from 'node:worker_threads';
import { diag } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';

import { moduleNames } from './aws-sdk';
import { hookModules } from './esm-hook';
import { exportTimeoutMs } from './export-in-time';
import { allInstrumentations } from './instrumentations';
import { getMessagingInstrumentations } from './messaging';
import { exportAtNaturalEnd } from './natural-end';
import { attempt } from './report';
import { isAnotherSdkRegistered, startSdk, type Telemetry } from './sdk';
import { exportOnSignals } from './signals';

/** Starts tracing in this thread: the SDK, the instrumentations, and the export at the end of the process. */
export function start(): void {
  if (isAnotherSdkRegistered()) joinOtherSdk();
  else startWithSdk();
}

// HTTP and the rest are the business of whoever started that SDK: a second instrumentation would double their spans.
function joinOtherSdk(): void {
  diag.info('@otel-messaging/auto: an SDK is registered already; only the messaging instrumentations are added to it');
  attempt('trace modules loaded by import', () => hookModules());
  registerInstrumentations({ instrumentations: getMessagingInstrumentations() });
}

function startWithSdk(): void {
  // Before the instrumentations, so that they get the real providers and diag already has its logger.
  const telemetry = startSdk(process.env);
  if (!telemetry) return;
  const instrumentations = allInstrumentations();
  attempt('trace modules loaded by import', () => hookModules(instrumentations.flatMap(moduleNames)));
  registerInstrumentations({ instrumentations });
  attempt('prepare for the end of the process', () => exportAtEnd(telemetry));
}

function exportAtEnd(telemetry: Telemetry): void {
  const timeoutMs = exportTimeoutMs(process.env);
  if (timeoutMs === 0) return;
  exportAtNaturalEnd(telemetry, timeoutMs);
  // Signals come to the main thread only.
  if (isMainThread) exportOnSignals(telemetry, timeoutMs);
}
