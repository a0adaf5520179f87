/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { SpanStatusCode } = require('@opentelemetry/api');

/** Marks a span as failed. */
function fail(span, error) {
  span.recordException(error);
  span.setAttribute('error.type', error.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
}

module.exports = { fail };
