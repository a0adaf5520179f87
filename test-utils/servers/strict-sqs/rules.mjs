/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// What Amazon refuses and the engine does not.

const ATTRIBUTE_LIMIT = 10;
const ATTRIBUTE_NAME = /^(?!\.)(?!.*\.\.)(?!.*\.$)[A-Za-z0-9_.-]{1,256}$/;
const ATTRIBUTE_TYPE = /^(String|Number|Binary)(\.|$)/;
const TRACE_HEADER = /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;Parent=[0-9a-f]{16})?(;Sampled=[01?])?(;[\w-]+=[^;]*)*$/i;

/** An error of the caller, with Amazon's code for it. */
export class Fault extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export const invalid = (message) => {
  throw new Fault('InvalidParameterValue', message);
};

export const isBinary = (attribute) => attribute.DataType.startsWith('Binary');

export const tooManyAttributes = (attributes = {}) => Object.keys(attributes).length > ATTRIBUTE_LIMIT;

/** Throws a `Fault` for a message, or an entry of a batch, that Amazon would not take. */
export function checkMessage(message) {
  checkAttributes(message.MessageAttributes);
  for (const [name, { DataType, StringValue }] of Object.entries(message.MessageSystemAttributes ?? {})) {
    const good = name === 'AWSTraceHeader' && DataType === 'String' && TRACE_HEADER.test(StringValue);
    if (!good) invalid(`Invalid message system attribute '${name}'.`);
  }
  const delay = message.DelaySeconds ?? 0;
  if (!(delay >= 0 && delay <= 900)) invalid('DelaySeconds must be between 0 and 900.');
}

function checkAttributes(attributes = {}) {
  const count = Object.keys(attributes).length;
  if (tooManyAttributes(attributes)) {
    invalid(`Number of message attributes [${count}] exceeds the allowed maximum [${ATTRIBUTE_LIMIT}].`);
  }
  for (const [name, attribute] of Object.entries(attributes)) checkAttribute(name, attribute);
}

function checkAttribute(name, attribute) {
  if (!ATTRIBUTE_NAME.test(name) || /^(aws|amazon)\./i.test(name)) invalid(`Invalid message attribute name '${name}'.`);
  if (!ATTRIBUTE_TYPE.test(attribute?.DataType ?? '')) invalid(`The message attribute '${name}' has an invalid type.`);
  const value = isBinary(attribute) ? attribute.BinaryValue : attribute.StringValue;
  if (!value?.length) {
    invalid(`The message attribute '${name}' must contain a non-empty value of type '${attribute.DataType}'.`);
  }
  if (attribute.DataType.startsWith('Number') && !Number.isFinite(Number(value))) {
    invalid(`Can't cast the value of message attribute '${name}' to a number.`);
  }
}
