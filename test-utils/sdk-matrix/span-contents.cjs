/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

'use strict';

// Whether spans of this SDK are given attributes and links in one go, and are then as they are if it does so itself.
const assert = require('node:assert/strict');
const { PlanContents, SpanContents } = require('@otel-messaging/messaging-common/build/span-contents');

const sdk = require(process.env.SDK_TRACE);
const tracer = new (sdk.BasicTracerProvider ?? sdk.TracerProvider)().getTracer('test');
const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
const links = [undefined, {}, { id: 'a', size: 1 }, { list: ['a'] }, { absent: undefined }].map((attributes) =>
  attributes === undefined ? { context } : { context, attributes },
);
const plan = new PlanContents({ system: 'memory', port: 5672, temporary: true });
const contents = new SpanContents();

/** How often the SDK looks whether a span has ended: once for each attribute and link that it is given. */
let looks = 0;
const prototype = Object.getPrototypeOf(tracer.startSpan('any'));
const { _isSpanEnded } = prototype;
prototype._isSpanEnded = function () {
  looks++;
  return _isSpanEnded.call(this);
};

const looksOfSpans = ['first', 'second', 'third'].map((name) => {
  const [ours, theirs] = [tracer.startSpan(name), tracer.startSpan(name)];
  looks = 0;
  contents.give(ours, plan, links);
  const looksOfOurs = looks;
  theirs.setAttributes(plan.attributes);
  theirs.addLinks(links);
  for (const field of ['attributes', 'links', '_attributesCount', '_droppedAttributesCount', '_droppedLinksCount'])
    assert.deepEqual(ours[field], theirs[field], field);
  return looksOfOurs;
});
console.log(JSON.stringify(looksOfSpans));
