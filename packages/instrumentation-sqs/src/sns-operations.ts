/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type OperationFacts, type Server, semconv } from '@otel-messaging/messaging-common';
import type { SqsOptions } from './config';
import { LEGACY_TOPIC_FACTS } from './legacy';
import { rpcAttributes } from './operations';

/** The operations that are traced, by what the conventions call them. */
export type TopicOperation = 'publish' | 'publishBatch' | 'create';

/** What is known of the place that a call goes to. */
export interface TopicFacts {
  /** Undefined for phones and mobile endpoints, of which nothing is recorded. */
  readonly arn?: string;
  readonly server?: Server;
  readonly region?: string;
}

const OPERATIONS: Readonly<Record<TopicOperation, Pick<OperationFacts, 'type' | 'name' | 'isBatch'>>> = {
  publish: { type: 'send', name: 'publish' },
  publishBatch: { type: 'send', name: 'publish', isBatch: true },
  create: { type: 'create', name: 'create' },
};

const METHODS: Readonly<Partial<Record<TopicOperation, string>>> = { publish: 'Publish', publishBatch: 'PublishBatch' };

export function topicOperationFacts(
  operation: TopicOperation,
  { arn, server, region }: TopicFacts,
  { awsRpcAttributes, captureQueueUrl }: Pick<SqsOptions, 'awsRpcAttributes' | 'captureQueueUrl'>,
): OperationFacts {
  const method = METHODS[operation];
  return {
    ...OPERATIONS[operation],
    system: semconv.MESSAGING_SYSTEM_NAME_VALUE_AWS_SNS,
    // Given also without a name: a call that goes to a phone is not named after the server.
    destination: { name: topicName(arn) },
    server,
    attributes: {
      ...(captureQueueUrl && { [semconv.ATTR_AWS_SNS_TOPIC_ARN]: arn }),
      ...(awsRpcAttributes && method !== undefined && rpcAttributes('SNS', method, region)),
    },
    legacyAttributes: arn === undefined ? undefined : LEGACY_TOPIC_FACTS,
  };
}

/** The text after the last colon of a topic's ARN, which is its name. */
export function topicName(arn: string | undefined): string | undefined {
  return arn?.slice(arn.lastIndexOf(':') + 1) || undefined;
}

/** What a publish names as its target, as far as it is known to be a topic; undefined for phones and mobile endpoints. */
export function topicArn({ TopicArn, TargetArn }: { TopicArn?: unknown; TargetArn?: unknown }): string | undefined {
  const arn = TopicArn ?? TargetArn;
  return typeof arn === 'string' && TOPIC_ARN.test(arn) ? arn : undefined;
}

/** An endpoint has slashes: `…:endpoint/GCM/app/0b0c…`. */
const TOPIC_ARN = /^arn:[^:/]+:sns:[^:/]*:[^:/]*:[^:/]+$/;

/** The region in a topic's ARN. */
export function regionOfArn(arn: string | undefined): string | undefined {
  return arn?.split(':')[3] || undefined;
}
