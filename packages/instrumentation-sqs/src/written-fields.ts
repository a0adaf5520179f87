/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { Telemetry } from '@otel-messaging/messaging-common';

/** Fields of a propagator, by name. */
export type Fields = Readonly<Record<string, string>>;

const ANY_SPAN_CONTEXT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

/**
 * What the registered propagator writes for a context that has nothing but a span. Known only from asking it; the context
 * that it is asked with is never sent.
 */
export function writtenFields(): Fields {
  const fields: Record<string, string> = {};
  propagation.inject(trace.setSpanContext(ROOT_CONTEXT, ANY_SPAN_CONTEXT), fields);
  return fields;
}

/** The same, asked for once for each propagator. */
export function rememberedFields({ signals }: Telemetry): () => Fields {
  let asked: object | undefined;
  let fields: Fields = {};
  return () => {
    if (signals.carrier !== asked) {
      fields = writtenFields();
      asked = signals.carrier;
    }
    return fields;
  };
}
