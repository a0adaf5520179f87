/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { Given } from '@otel-messaging/messaging-common';
import type { Writable } from './copies';
import { type OutgoingMessage, OutgoingWriter } from './outgoing-message';
import { hasForeignHeader, setTraceHeader, watchRequests } from './request-header';

/**
 * Writes contexts into messages that are published alone. SNS has no system attributes; it hands the X-Ray header of the
 * request on to the topic's subscriptions, and queues make it their messages' `AWSTraceHeader`.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sns.html
 */
export class PublishWriter extends OutgoingWriter {
  protected override putHeader(copy: Writable<OutgoingMessage>, header: string): void {
    new Mark(copy, header);
  }
}

/** Puts the header of each marked message on the request that publishes it, unless the application has put one there. */
export function sendHeaders(client: unknown): void {
  watchRequests(client, (request, input) => {
    const header = Mark.on(input);
    if (header !== undefined && !hasForeignHeader(request)) setTraceHeader(request, header);
  });
}

/** A private field on our copy of a message: no middleware of the application sees it. */
class Mark extends Given {
  readonly #header: string;

  constructor(message: object, header: string) {
    super(message);
    this.#header = header;
  }

  static on(message: unknown): string | undefined {
    return typeof message === 'object' && message !== null && #header in message ? message.#header : undefined;
  }
}
