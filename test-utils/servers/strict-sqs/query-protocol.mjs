/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// AWS Query, spoken by client-sqs before 3.446: form fields in, XML out; translated to and from the shapes of the JSON
// protocol, in which everything else here works.

import { randomUUID } from 'node:crypto';

const NUMERIC = ['MaxNumberOfMessages', 'WaitTimeSeconds', 'VisibilityTimeout', 'DelaySeconds'];
const MAPS = /^(Attribute|MessageAttribute|MessageSystemAttribute|Tag)$/;

/** Form fields with dotted names as nested objects: `A.1.B=c` is `{ A: { 1: { B: 'c' } } }`. */
export function parseQuery(text) {
  const query = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split('.');
    const last = path.pop();
    let at = query;
    for (const step of path) {
      if (typeof at[step] !== 'object') at[step] = {};
      at = at[step];
    }
    at[last] = value;
  }
  return query;
}

/** A parsed query as the input of the JSON protocol. */
export function fromQuery(query) {
  const input = {};
  for (const [name, value] of Object.entries(query)) {
    if (/BatchRequestEntry$/.test(name)) input.Entries = Object.values(value).map(fromQuery);
    else if (MAPS.test(name)) input[`${name}s`] = fromPairs(value);
    else if (typeof value === 'object') input[`${name}s`] = Object.values(value);
    else input[name] = NUMERIC.includes(name) ? Number(value) : value;
  }
  return input;
}

/** An output of the JSON protocol as the XML that the Query protocol answers. */
export function toXml(operation, { Successful = [], Failed = [], ...output }) {
  const entries = [
    ...Successful.map((entry) => tag(`${operation}ResultEntry`, fields(entry))),
    ...Failed.map((entry) => tag('BatchResultErrorEntry', fields(entry))),
  ];
  const result = tag(`${operation}Result`, fields(output) + entries.join(''));
  const metadata = tag('ResponseMetadata', tag('RequestId', randomUUID()));
  return `<${operation}Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">${result}${metadata}</${operation}Response>`;
}

export function xmlError(code, message) {
  const error = tag('Type', 'Sender') + tag('Code', escaped(code)) + tag('Message', escaped(message));
  return tag('ErrorResponse', tag('Error', error) + tag('RequestId', randomUUID()));
}

const fromPairs = (pairs) =>
  Object.fromEntries(Object.values(pairs).map(({ Name, Key, Value }) => [Name ?? Key, Value]));

const fields = (object) =>
  Object.entries(object)
    .map(([name, value]) => field(name, value))
    .join('');

function field(name, value) {
  if (value === undefined) return '';
  if (name === 'Attributes' || name === 'MessageAttributes') return toPairs(name.slice(0, -1), value);
  if (Array.isArray(value)) return value.map((item) => tag(name.replace(/s$/, ''), content(item))).join('');
  return tag(name, content(value));
}

const toPairs = (name, object) =>
  Object.entries(object)
    .map(([key, value]) => tag(name, tag('Name', escaped(key)) + tag('Value', content(value))))
    .join('');

const content = (value) => (typeof value === 'object' ? fields(value) : escaped(value));

const tag = (name, inner) => `<${name}>${inner}</${name}>`;

const escaped = (value) => String(value).replace(/[&<>"\r]/g, (character) => `&#${character.charCodeAt(0)};`);
