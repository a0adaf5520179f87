/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

const { spansOf } = require('../lib/otlp.js') as { spansOf: (request: unknown) => unknown[] };

const REQUEST = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'orders' } }] },
      scopeSpans: [
        {
          scope: { name: 'some-instrumentation' },
          spans: [
            {
              traceId: '0af7651916cd43dd8448eb211c80319c',
              spanId: 'b7ad6b7169203331',
              parentSpanId: '',
              name: 'process orders',
              kind: 5,
              startTimeUnixNano: '1764000000123456789',
              endTimeUnixNano: '1764000000125456789',
              attributes: [
                { key: 'text', value: { stringValue: '' } },
                { key: 'count', value: { intValue: '7' } },
                { key: 'yes', value: { boolValue: false } },
                { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: 2 }] } } },
              ],
              links: [{ traceId: 't', spanId: 's', attributes: [] }],
              events: [{ name: 'exception', timeUnixNano: '1764000000124000000', attributes: [] }],
              status: { code: 2, message: 'no carrier' },
            },
          ],
        },
      ],
    },
  ],
};

test('an export request becomes plain spans', () => {
  expect(spansOf(REQUEST)).toEqual([
    {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      parentSpanId: undefined,
      service: 'orders',
      name: 'process orders',
      kind: 'CONSUMER',
      startMs: 1764000000123.456,
      endMs: 1764000000125.456,
      attributes: { text: '', count: 7, yes: false, list: ['a', 2] },
      links: [{ traceId: 't', spanId: 's', attributes: {} }],
      events: [{ name: 'exception', atMs: 1764000000124, attributes: {} }],
      error: 'no carrier',
      scope: 'some-instrumentation',
    },
  ]);
});

test.each([[{}], [{ resourceSpans: [] }], [{ resourceSpans: [{}] }], [{ resourceSpans: [{ scopeSpans: [{}] }] }]])(
  'a request without spans has none: %j',
  (request) => expect(spansOf(request)).toEqual([]),
);
