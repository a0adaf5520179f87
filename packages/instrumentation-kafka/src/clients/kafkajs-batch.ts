/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { BatchProcessOperation, Telemetry } from '@otel-messaging/messaging-common';
import type { EachBatchPayload } from 'kafkajs';
import type { KafkaMessage } from '../message';
import { Resolutions } from '../resolutions';
import { type Commits, positionsOf } from './kafkajs-commits';

/** A copy of what a handler of batches gets, whose functions tell us what the handler tells the client. */
export function followed(
  payload: EachBatchPayload,
  operation: BatchProcessOperation,
  telemetry: Telemetry,
  commits: Commits,
): EachBatchPayload {
  const { batch, resolveOffset, commitOffsetsIfNecessary } = payload;
  const resolutions = new Resolutions(operation, batch.messages as KafkaMessage[]);
  return {
    ...payload,
    resolveOffset(offset, ...rest: []) {
      resolveOffset(offset, ...rest); // throws for an offset that is none; other clients take more arguments
      try {
        resolutions.note(offset);
      } catch (error) {
        telemetry.report('follow a resolved offset', error);
      }
    },
    commitOffsetsIfNecessary(offsets) {
      const positions = () => (offsets ? positionsOf(offsets) : undefined);
      return commits.trace(positions, commitOffsetsIfNecessary, undefined, offsets === undefined ? [] : [offsets]);
    },
  };
}
