/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Attributes } from '@opentelemetry/api';
import { type MessageOutcome, type OperationFacts, type Server, semconv } from '@otel-messaging/messaging-common';
import type { SqsOptions } from './config';
import { legacyQueueFacts, legacyRequestFacts } from './legacy';
import { queueName, recordedUrl } from './queue-url';

/** The operations that are traced, by what the conventions call them. */
export type QueueOperation =
  | 'send'
  | 'sendBatch'
  | 'create'
  | 'receive'
  | 'process'
  | 'processBatch'
  | 'delete'
  | 'deleteBatch';

/** What is known of the place that a call goes to. */
export interface QueueFacts {
  readonly url?: string;
  readonly server?: Server;
  readonly region?: string;
}

const OPERATIONS: Readonly<Record<QueueOperation, Pick<OperationFacts, 'type' | 'name' | 'isBatch'>>> = {
  send: { type: 'send', name: 'send' },
  sendBatch: { type: 'send', name: 'send', isBatch: true },
  create: { type: 'create', name: 'create' },
  receive: { type: 'receive', name: 'receive', isBatch: true },
  process: { type: 'process', name: 'process' },
  processBatch: { type: 'process', name: 'process', isBatch: true },
  delete: { type: 'settle', name: 'delete' },
  deleteBatch: { type: 'settle', name: 'delete', isBatch: true },
};

const METHODS: Readonly<Partial<Record<QueueOperation, string>>> = {
  send: 'SendMessage',
  sendBatch: 'SendMessageBatch',
  receive: 'ReceiveMessage',
  delete: 'DeleteMessage',
  deleteBatch: 'DeleteMessageBatch',
};

export function operationFacts(
  operation: QueueOperation,
  { url, server, region }: QueueFacts,
  { awsRpcAttributes, captureQueueUrl }: Pick<SqsOptions, 'awsRpcAttributes' | 'captureQueueUrl'>,
): OperationFacts {
  const method = METHODS[operation];
  const recorded = captureQueueUrl ? recordedUrl(url) : undefined;
  return {
    ...OPERATIONS[operation],
    system: semconv.MESSAGING_SYSTEM_NAME_VALUE_AWS_SQS,
    destination: { name: queueName(url) },
    server,
    attributes: {
      ...(recorded !== undefined && { [semconv.ATTR_AWS_SQS_QUEUE_URL]: recorded }),
      ...(awsRpcAttributes && method !== undefined && rpcAttributes('SQS', method, region)),
    },
    legacyAttributes: captureQueueUrl ? legacyQueueFacts(recorded) : undefined,
  };
}

/** The server that a queue's URL names. */
export function serverOfUrl(url: string | undefined): Server | undefined {
  return url !== undefined && URL.canParse(url) ? serverOf(new URL(url)) : undefined;
}

/** The server of an endpoint as the client resolves it, in the old or the new form. */
export function serverOfEndpoint(endpoint: unknown): Server | undefined {
  const { hostname, url } = (endpoint ?? {}) as { hostname?: unknown; url?: unknown };
  if (typeof hostname === 'string') return serverOf(endpoint as { hostname: string });
  return url instanceof URL ? serverOf(url) : undefined;
}

/** The region in the host name of a queue's URL, where it is one of Amazon's. */
export function regionOfUrl(url: string | undefined): string | undefined {
  return /^https?:\/\/(?:sqs(?:-fips)?\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws\.com/.exec(url ?? '')?.[1];
}

/** What the answer, or the error, of a call says of the request; a fresh object. */
export function requestAttributes(answer: unknown, isLegacyToo: boolean): Attributes {
  const { requestId, extendedRequestId } = metadataOf(answer);
  const attributes: Attributes = requestId === undefined ? {} : { [REQUEST_ID]: requestId };
  if (requestId !== undefined && isLegacyToo) Object.assign(attributes, legacyRequestFacts(requestId));
  if (extendedRequestId !== undefined) attributes[semconv.ATTR_AWS_EXTENDED_REQUEST_ID] = extendedRequestId;
  return attributes;
}

/** The same for the spans of the messages that it brought. */
export function requestIdAttribute(answer: unknown): Attributes | undefined {
  const { requestId } = metadataOf(answer);
  return requestId === undefined ? undefined : { [REQUEST_ID]: requestId };
}

/** What the answer to a batch says of its n-th entry. */
export function entryOutcomes(entries: readonly unknown[], answer: unknown): MessageOutcome[] {
  const { Successful, Failed } = (answer ?? {}) as { Successful?: unknown; Failed?: unknown };
  const inOrder = outcomesInOrder(entries, listOf(Successful));
  if (inOrder !== undefined) return inOrder;
  const outcomes = new Map<unknown, MessageOutcome>();
  for (const { Id, MessageId } of listOf(Successful)) {
    outcomes.set(Id, { attributes: messageId({ MessageId }) });
  }
  for (const { Id, Code, Message } of listOf(Failed)) outcomes.set(Id, { error: entryError(Code, Message) });
  return entries.map((entry) => outcomes.get((entry as { Id?: unknown }).Id) ?? {});
}

/** The outcomes of entries that all succeeded, told in the order in which they were sent, as they mostly are. */
function outcomesInOrder(entries: readonly unknown[], results: readonly BatchResult[]): MessageOutcome[] | undefined {
  if (results.length !== entries.length) return undefined;
  const outcomes: MessageOutcome[] = [];
  for (let i = 0; i < entries.length; i++) {
    const result = results[i] as BatchResult;
    if (result.Id !== (entries[i] as { Id?: unknown }).Id) return undefined;
    outcomes.push({ attributes: messageId(result) });
  }
  return outcomes;
}

/** The id that the service gave to a message. */
export function messageId(answer: object): Attributes | undefined {
  const { MessageId: id } = answer as { readonly MessageId?: unknown };
  return typeof id === 'string' ? { [semconv.ATTR_MESSAGING_MESSAGE_ID]: id } : undefined;
}

/** What the conventions for the AWS SDK ask of each of its calls. */
export function rpcAttributes(service: 'SQS' | 'SNS', method: string, region: string | undefined): Attributes {
  return {
    [semconv.ATTR_RPC_SYSTEM]: 'aws-api',
    [semconv.ATTR_RPC_SERVICE]: service,
    [semconv.ATTR_RPC_METHOD]: method,
    [semconv.ATTR_CLOUD_REGION]: region,
  };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

function serverOf({ hostname, port, protocol }: { hostname: string; port?: unknown; protocol?: string }): Server {
  return { address: hostname, port: Number(port) || DEFAULT_PORTS[protocol ?? 'https:'] };
}

function metadataOf(answer: unknown): { readonly requestId?: string; readonly extendedRequestId?: string } {
  if (typeof answer !== 'object' || answer === null) return NO_METADATA;
  const { $metadata } = answer as { $metadata?: unknown };
  return typeof $metadata === 'object' && $metadata !== null ? $metadata : NO_METADATA;
}

const NO_METADATA = {};

const REQUEST_ID = semconv.ATTR_AWS_REQUEST_ID;

function entryError(code: unknown, message: unknown): Error {
  return Object.assign(new Error(String(message ?? code)), { name: String(code), Code: code });
}

interface BatchResult {
  readonly Id?: string;
  readonly MessageId?: string;
  readonly Code?: string;
  readonly Message?: string;
}

function listOf(value: unknown): readonly BatchResult[] {
  return Array.isArray(value) ? value : [];
}
