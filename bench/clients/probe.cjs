/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { context, trace } = require('@opentelemetry/api');

/**
 * What a verification sees of one pass: contexts on the wire, and which span was active in a handler.
 * Outside of a verification both lists are undefined, and a workload pays one comparison.
 */
const probe = { carriers: undefined, activeSpanIds: undefined };

function probeHandler() {
  probe.activeSpanIds.push(trace.getSpan(context.active())?.spanContext().spanId ?? 'none');
}

module.exports = { probe, probeHandler };
