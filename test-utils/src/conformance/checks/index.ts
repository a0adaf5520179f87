/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Rig } from '../rig';
import { frozenBatch, frozenInput, fullMessage, malformedInput } from './input';
import { everySpanEnds, metricsCount, switching, withoutSdk } from './lifecycle';
import { brokenTelemetry, forgottenRejection, sameResult } from './results';
import {
  baggageArrives,
  contextRestored,
  customContext,
  forwardedContext,
  oneTrace,
  oneTraceForBatch,
  unsampled,
} from './traces';

/** One promise of design section 8: a sentence, and code that throws if a client's instrumentation breaks it. */
export interface Check {
  readonly promise: string;
  readonly needs?: keyof NonNullable<Rig['cannot']>;
  run(rig: Rig): Promise<void>;
}

export const CHECKS: readonly Check[] = [
  { promise: '1. frozen input is sent, twice, and stays as it was', run: frozenInput },
  { promise: '1. a frozen batch is sent and stays as it was', needs: 'batch', run: frozenBatch },
  { promise: '2. a send gives the same result in the same manner', run: sameResult },
  {
    promise: '2. a forgotten rejection is still reported as unhandled',
    needs: 'rejected sends',
    run: forgottenRejection,
  },
  { promise: "3. malformed input meets the client's own error", run: malformedInput },
  { promise: '4. whatever throws in the telemetry never reaches the application', run: brokenTelemetry },
  { promise: '5. every started span ends, however the handler or the call ends', run: everySpanEnds },
  { promise: '6. each message is handled in the trace of its send', run: oneTrace },
  { promise: '6. each message of a batch is handled in a trace of its own', needs: 'batch', run: oneTraceForBatch },
  { promise: '7. a context that the application wrote is kept and linked', run: customContext },
  { promise: '7. a context that came along with forwarded headers is replaced', run: forwardedContext },
  { promise: '8. baggage arrives in the handler', run: baggageArrives },
  { promise: '9. after a handler the active context is what it was', run: contextRestored },
  {
    promise: '10. disabling silences live clients and restores the very same functions; enabling works again',
    run: switching,
  },
  {
    promise: '11. a message without room for more headers arrives all the same',
    needs: 'a limit on headers',
    run: fullMessage,
  },
  { promise: '12. counters count messages, histograms operations in seconds, a delivery once', run: metricsCount },
  { promise: '13. unsampled traces propagate their ids and stay unsampled', run: unsampled },
  { promise: '14. without an SDK nothing is added to a message', run: withoutSdk },
];
