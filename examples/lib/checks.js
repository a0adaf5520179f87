/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { groupBy } = require('../order-pipeline/lib/group-by.js');

const MAX_PROBLEMS_SHOWN = 5;

/** Spans whose parent nobody recorded, in sentences. */
function orphans(spans) {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans
    .filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId))
    .map(({ service, name }) => `${service}: ${name} has a parent that nobody recorded`);
}

/** What is wrong with groups of spans of which each should be one trace that begins with a request to a service. */
function split(groups, spans, service) {
  const traces = groupBy(spans, ({ traceId }) => traceId);
  const owners = new Map();
  return groups.flatMap(({ id, spans: own }) => {
    const ids = new Set(own.map(({ traceId }) => traceId));
    if (ids.size !== 1) return [`${id} is in ${ids.size} traces`];
    const [traceId] = ids;
    const owner = owners.get(traceId);
    owners.set(traceId, id);
    const roots = traces.get(traceId).filter(({ parentSpanId }) => !parentSpanId);
    const isWhole = roots.length === 1 && roots[0].kind === 'SERVER' && roots[0].service === service;
    return [
      ...(owner ? [`${id} shares a trace with ${owner}`] : []),
      ...(isWhole ? [] : [`${id} does not begin with a request to ${service}`]),
    ];
  });
}

/** Prints checks, each `{ name, problems }`; whether there was no problem. */
function printChecks(checks, paint) {
  for (const { name, problems } of checks) {
    console.log(problems.length === 0 ? `${paint.good('✓')} ${name}` : `${paint.bad('✗')} ${name}`);
    for (const problem of problems.slice(0, MAX_PROBLEMS_SHOWN)) console.log(`    ${problem}`);
  }
  return checks.every(({ problems }) => problems.length === 0);
}

module.exports = { orphans, printChecks, split };
