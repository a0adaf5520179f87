/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { deliveryOf } from '@otel-messaging/messaging-common';
import type { LambdaRecord } from './lambda-record';
import { forgetReceipt, keepReceipt, Received } from './received';

/**
 * Lets copies of the records, and deletions by their receipts, be known for what they are. For as long as the event is
 * handled: see `forgetRecords`.
 */
export function rememberRecords(records: readonly LambdaRecord[]): void {
  for (const record of records) {
    const received = new Received(record?.messageId, record?.attributes, undefined);
    received.delivery = deliveryOf(record);
    if (received.delivery !== undefined) keepReceipt(record.receiptHandle, received);
  }
}

export function forgetRecords(records: readonly LambdaRecord[]): void {
  for (const record of records) forgetReceipt(record?.receiptHandle);
}
