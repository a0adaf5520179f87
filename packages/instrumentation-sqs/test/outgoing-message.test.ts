/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { propagation } from '@opentelemetry/api';
import type { CarrierKind, OutgoingContext } from '@otel-messaging/messaging-common';
import { deepFreeze, w3c } from '@otel-messaging/test-utils';
import { attributesSize, BatchSize, exactly } from '../src/message-size';
import { OutgoingWriter } from '../src/outgoing-message';
import { ownAttributes, stringAttributes } from './sqs';

const spanContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const TRACE_STATE = { tracestate: 'vendor=1' };
const BAGGAGE = { baggage: 'tenant=a' };
const MIB = 1_048_576;

const left: CarrierKind[] = [];

beforeAll(() => {
  propagation.setGlobalPropagator(w3c());
});
afterAll(() => propagation.disable());
beforeEach(() => left.splice(0));

function writer(awsTraceHeader: 'always' | 'fallback' | 'off' = 'off', batch?: BatchSize, maxMessageBytes = MIB) {
  return new OutgoingWriter(
    { awsTraceHeader, maxMessageBytes, captureBodySize: false },
    undefined,
    (carrier) => left.push(carrier),
    batch,
  );
}

function outgoing(fields: Record<string, string> = {}): OutgoingContext {
  return {
    fields: { traceparent, ...fields },
    stale: ['traceparent', 'tracestate', ...Object.keys(fields)],
    spanContext,
  };
}

interface Written {
  MessageAttributes?: Record<string, { StringValue?: string }>;
  MessageSystemAttributes?: Record<string, { StringValue?: string }>;
}

const write = (by: OutgoingWriter, message: object, context = outgoing()) =>
  by.write(deepFreeze(message), context) as Written | undefined;

/** Names of what was added to a message's attributes. */
const added = (written: Written | undefined) =>
  written && Object.keys(written.MessageAttributes ?? {}).filter((name) => !name.startsWith('own-'));

describe('the ladder', () => {
  const carriers: [string, Record<string, string>][] = [
    ['nothing else', {}],
    ['trace state', TRACE_STATE],
    ['baggage', BAGGAGE],
    ['trace state and baggage', { ...TRACE_STATE, ...BAGGAGE }],
  ];
  for (const [what, more] of carriers) {
    test.each(Array.from({ length: 11 }, (_, count) => count))(`${what} beside %i attributes`, (count) => {
      const by = writer();
      const MessageAttributes = ownAttributes(count);
      const written = write(by, { MessageBody: 'one', MessageAttributes }, outgoing(more));
      const names = ['traceparent', ...Object.keys(more)];
      const free = 10 - count;
      const expected =
        free >= names.length
          ? names
          : free >= 2 && names.length === 3
            ? ['traceparent', 'tracestate'] // baggage is shed first
            : free >= 1
              ? ['traceparent']
              : undefined;
      expect(added(written)).toEqual(expected);
      expect(by.canCarry({ MessageBody: 'one', MessageAttributes })).toBe(free >= 1);
      const kinds = { 0: 'none', [names.length]: 'complete', 1: names.length === 1 ? 'complete' : 'traceparent' };
      const kind: unknown = kinds[expected?.length ?? 0] ?? 'without_baggage';
      expect(left).toEqual(free >= 1 ? [kind] : ['none', 'none']);
    });
  }

  test('fields that are there already are replaced, in any letter case, and do not count twice', () => {
    const stale = stringAttributes({ TraceParent: 'old', tracestate: 'old=1' });
    const written = write(writer(), { MessageAttributes: { ...ownAttributes(8), ...stale } }, outgoing(TRACE_STATE));
    expect(added(written)).toEqual(['traceparent', 'tracestate']);
    expect(written?.MessageAttributes?.['traceparent']?.StringValue).toBe(traceparent);
  });

  test.each(['baggage', 'Baggage'])("an attribute %s of the application's own stays where ours has no room", (name) => {
    const luggage = stringAttributes({ [name]: 'three suitcases' });
    const beside = (count: number, by = writer()) =>
      added(write(by, { MessageAttributes: { ...ownAttributes(count), ...luggage } }, outgoing(BAGGAGE)));
    expect(beside(8)).toEqual(['traceparent', 'baggage']); // replaced
    expect(beside(9)).toBeUndefined();
    expect(beside(9, writer('fallback'))).toEqual([name]);
    expect(left).toEqual(['complete', 'none', 'trace_header']);
  });

  test('fields of another propagator go together or not at all', () => {
    const context = { fields: { 'x-b3-traceid': 'a', 'x-b3-spanid': 'b' }, stale: [], spanContext };
    expect(added(write(writer(), { MessageAttributes: ownAttributes(8) }, context))).toHaveLength(2);
    expect(write(writer(), { MessageAttributes: ownAttributes(9) }, context)).toBeUndefined();
  });

  test.each(['AWS.trace', 'amazon.trace', 'a b', 'a..b', '.a', 'a.', ''])(
    'the name %p, which the service refuses, is not sent',
    (name) => {
      expect(added(write(writer(), {}, outgoing({ [name]: 'x' })))).toEqual(['traceparent']);
    },
  );

  test.each(['', '\u0000', 'a\uFFFE'])('the value %j, which the service refuses, is not sent', (value) => {
    expect(added(write(writer(), {}, outgoing({ tracestate: value })))).toEqual(['traceparent']);
  });
});

describe('the limit of bytes', () => {
  /** Names, types and values of the one field. */
  const OURS = 'traceparent'.length + 'String'.length + traceparent.length;

  test.each([
    [MIB - OURS, ['traceparent']],
    [MIB - OURS + 1, undefined],
    [262_144 - OURS, ['traceparent']],
    [262_144 - OURS + 1, undefined], // what a queue of the older limit takes must stay within it
    [262_144, undefined],
    [262_145, ['traceparent']],
  ])('a body of %i bytes', (size, expected) => {
    expect(added(write(writer(), { MessageBody: 'x'.repeat(size) }))).toEqual(expected);
  });

  test('bytes count, not characters, and those of attributes as well', () => {
    const MessageAttributes = { b: { DataType: 'Binary', BinaryValue: new Uint8Array(100) } };
    const own = 'b'.length + 'Binary'.length + 100;
    const body = (bytes: number) => `${'é'.repeat(Math.floor(bytes / 2))}${bytes % 2 === 1 ? 'x' : ''}`;
    const fits = write(writer(), { MessageBody: body(MIB - OURS - own), MessageAttributes });
    expect(Object.keys(fits?.MessageAttributes ?? {})).toEqual(['b', 'traceparent']);
    expect(write(writer(), { MessageBody: body(MIB - OURS - own + 1), MessageAttributes })).toBeUndefined();
  });

  test('baggage that does not fit is shed', () => {
    const message = { MessageBody: 'x'.repeat(MIB - OURS - 20) };
    expect(added(write(writer(), message, outgoing({ baggage: 'b'.repeat(100) })))).toEqual(['traceparent']);
  });

  test('a lower limit of the configuration holds', () => {
    const message = { MessageBody: 'x'.repeat(1000) };
    expect(added(write(writer('off', undefined, 1000 + OURS), message))).toEqual(['traceparent']);
    expect(write(writer('off', undefined, 999 + OURS), message)).toBeUndefined();
  });

  test('a batch shares it: the first entries get what is left', () => {
    const entry = { MessageBody: 'x'.repeat(1000) };
    const large = { MessageBody: 'x'.repeat(MIB - 2000 - 2 * OURS) };
    const by = writer('off', new BatchSize([entry, entry, large]));
    expect(added(write(by, entry))).toEqual(['traceparent']);
    expect(added(write(by, entry))).toEqual(['traceparent']);
    expect(write(by, large)).toBeUndefined();
  });
});

describe('the X-Ray header', () => {
  const full = { MessageAttributes: ownAttributes(10) };
  const header = (written: Written | undefined) => written?.MessageSystemAttributes?.['AWSTraceHeader']?.StringValue;

  test('always: beside the attributes, and in their place', () => {
    expect(header(write(writer('always'), {}))).toMatch(
      /^Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1$/,
    );
    const written = write(writer('always'), full);
    expect(header(written)).toBeDefined();
    expect(Object.keys(written?.MessageAttributes ?? {})).toHaveLength(10);
    expect(writer('always').canCarry(full)).toBe(true);
  });

  test('fallback: in their place only', () => {
    expect(header(write(writer('fallback'), {}))).toBeUndefined();
    expect(header(write(writer('fallback'), full))).toBeDefined();
  });

  test('off: never', () => {
    expect(header(write(writer('off'), {}))).toBeUndefined();
    expect(write(writer('off'), full)).toBeUndefined();
    expect(writer('off').canCarry(full)).toBe(false);
  });

  test('one that is there stays, and carries nothing of ours', () => {
    const MessageSystemAttributes = stringAttributes({ AWSTraceHeader: 'own' });
    expect(header(write(writer('always'), { MessageSystemAttributes }))).toBe('own');
    expect(writer('always').canCarry({ ...full, MessageSystemAttributes })).toBe(false);
  });
});

test.each([
  ['a text for attributes', { MessageAttributes: 'none' }],
  ['a list for attributes', { MessageAttributes: [] }],
  ['a number for system attributes', { MessageSystemAttributes: 7 }],
])('%s is left to the client', (_, message) => {
  expect(writer('always').canCarry(message)).toBe(false);
});

test('null attributes are none', () => {
  const message = { MessageAttributes: null, MessageSystemAttributes: null };
  expect(writer('always').canCarry(message)).toBe(true);
  expect(added(write(writer('always'), message))).toEqual(['traceparent']);
});

test('with no propagator nothing can be carried', () => {
  propagation.disable();
  expect(writer('always').canCarry({})).toBe(false);
  expect(writer('off').canCarry({})).toBe(false);
  propagation.setGlobalPropagator(w3c());
});

test('attributes that the object inherits, which some clients send, stay inherited, and take a place', () => {
  const inherited = Object.create(ownAttributes(8), { own: { value: ownAttributes(1)['own-0'], enumerable: true } });
  const message = { MessageBody: 'one', MessageAttributes: inherited };
  const written = writer().write(message, outgoing(TRACE_STATE)) as Written;
  expect(Object.keys(written.MessageAttributes ?? {})).toEqual(['own', 'traceparent']);
  expect(written.MessageAttributes?.['own-7']).toBeDefined();
});

test('attributes that are null or undefined, which clients leave out, take neither places nor bytes', () => {
  const MessageAttributes = { ...ownAttributes(9), 'own-a': undefined, 'own-b': null };
  expect(writer().canCarry({ MessageAttributes })).toBe(true);
  const written = write(writer(), { MessageBody: 'one', MessageAttributes });
  expect(added(written)).toEqual(['traceparent']);
  expect(Object.keys(written?.MessageAttributes ?? {})).toEqual([...Object.keys(MessageAttributes), 'traceparent']);
  expect(attributesSize(MessageAttributes as never, exactly)).toBe(attributesSize(ownAttributes(9) as never, exactly));
});

test('of inherited attributes those count that are not null; their bytes do, too', () => {
  const shadows = { 'own-0': { value: null, enumerable: true } };
  const MessageAttributes = Object.create(ownAttributes(10), shadows);
  const written = writer().write({ MessageBody: 'one', MessageAttributes }, outgoing()) as Written;
  expect(Object.keys(written.MessageAttributes ?? {})).toEqual(['own-0', 'traceparent']);
  const { 'own-0': _, ...sent } = ownAttributes(10);
  expect(attributesSize(MessageAttributes, exactly)).toBe(attributesSize(sent as never, exactly));
});

test.each([null, undefined])('a field that is %p already is none', (traceparent) => {
  const message = { MessageAttributes: { traceparent, own: { DataType: 'String', StringValue: 'x' } } };
  expect(writer('always').canCarry(message)).toBe(true);
  expect(added(write(writer(), message))).toEqual(['own', 'traceparent']);
});

test.each([
  ['a plain object', (attributes: object) => attributes],
  ['an object with a prototype', (attributes: object) => Object.setPrototypeOf(attributes, ownAttributes(1))],
])('an attribute with the name __proto__ stays one, of %s', (_, made) => {
  const MessageAttributes = made(JSON.parse('{"__proto__":{"DataType":"String","StringValue":"p"}}'));
  const prototype = Object.getPrototypeOf(MessageAttributes);
  const written = writer().write({ MessageAttributes }, outgoing())?.MessageAttributes as object;
  expect(Object.keys(written)).toEqual(['__proto__', 'traceparent']);
  expect(Object.getPrototypeOf(written)).toBe(prototype);
});

test('what has the name of a field and is no attribute is left for the client to refuse', () => {
  for (const traceparent of [7, 'text', {}, { DataType: 7, StringValue: 'x' }, { DataType: 'String' }]) {
    expect(writer('always').canCarry({ MessageAttributes: { traceparent } })).toBe(false);
  }
});

test('bytes that the application gives as a text count, too', () => {
  expect(attributesSize({ own: { DataType: 'Binary', BinaryValue: 'é' as never } }, exactly)).toBe(3 + 6 + 2);
});
