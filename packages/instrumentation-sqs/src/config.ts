/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { MessagingInstrumentationConfig } from '@otel-messaging/messaging-common';

/** Options of `SqsInstrumentation`, besides those that every messaging instrumentation has. */
export interface SqsInstrumentationConfig extends MessagingInstrumentationConfig {
  /**
   * When to write the context into the system attribute `AWSTraceHeader`, which counts toward no limit: besides message
   * attributes, only where those have no room for it, or never. Default: `always`.
   */
  awsTraceHeader?: 'always' | 'fallback' | 'off';
  /**
   * What an incoming `AWSTraceHeader` that is not sampled means: a link from a trace of its own, or a parent, which
   * leaves the handler's spans unsampled as well. Default: `link`.
   */
  xrayUnsampled?: 'link' | 'parent';
  /** Adds `rpc.*` and `cloud.region`, as the conventions for the AWS SDK ask. Default: true. */
  awsRpcAttributes?: boolean;
  /**
   * Records the URL of the queue, or the ARN of the topic, which have the number of the account in them. Default: true.
   */
  captureQueueUrl?: boolean;
  /**
   * Bytes that a message may have; set it where a queue allows less than the service does. Default: 1,048,576.
   */
  maxMessageBytes?: number;
  /**
   * Length up to which a body that looks like an envelope of SNS or EventBridge is parsed for a context; 0 for never.
   * Default: 262,144.
   */
  maxEnvelopeLength?: number;
  /**
   * Handles the message of a poll that asked for one where the application takes it out of the array: `Messages[0]`,
   * `const [message] = Messages`. Its context then is active in the execution that took it, until the message is deleted
   * or the next poll. Default: false, since a mere look at the array counts as well.
   */
  followIndex?: boolean;
  /**
   * Leaves out the spans of HTTP requests that send, publish and delete messages; other calls of the clients keep
   * theirs. A poll makes none in any case. Default: false.
   */
  suppressHttpSpans?: boolean;
  /**
   * Milliseconds that the answer of a Lambda function may wait for the export of what it recorded; 0 for not at all.
   * Default: OTEL_MESSAGING_FLUSH_TIMEOUT, else 2,000.
   */
  lambdaFlushMs?: number;
}

/** The options of this package in force. */
export type SqsOptions = Required<
  Pick<
    SqsInstrumentationConfig,
    | 'awsTraceHeader'
    | 'xrayUnsampled'
    | 'awsRpcAttributes'
    | 'captureQueueUrl'
    | 'maxMessageBytes'
    | 'maxEnvelopeLength'
    | 'suppressHttpSpans'
    | 'followIndex'
    | 'lambdaFlushMs'
  >
>;

/** The service's limits of a message's size; queues made before 2025 have the lower one. */
export const SERVICE_LIMITS_BYTES = [262_144, 1_048_576] as const;

/** The options with every default applied. Unknown values count as absent. */
export function resolveOptions(config: SqsInstrumentationConfig): SqsOptions {
  const { awsTraceHeader, xrayUnsampled, awsRpcAttributes, captureQueueUrl } = config;
  const { maxMessageBytes, maxEnvelopeLength, suppressHttpSpans, followIndex } = config;
  const { lambdaFlushMs = Number(process.env['OTEL_MESSAGING_FLUSH_TIMEOUT'] || Number.NaN) } = config;
  return {
    awsTraceHeader: awsTraceHeader === 'fallback' || awsTraceHeader === 'off' ? awsTraceHeader : 'always',
    xrayUnsampled: xrayUnsampled === 'parent' ? 'parent' : 'link',
    awsRpcAttributes: flag(awsRpcAttributes) ?? true,
    captureQueueUrl: flag(captureQueueUrl) ?? true,
    maxMessageBytes: isCount(maxMessageBytes) ? maxMessageBytes : SERVICE_LIMITS_BYTES[1],
    maxEnvelopeLength: isCount(maxEnvelopeLength) ? maxEnvelopeLength : 262_144,
    suppressHttpSpans: flag(suppressHttpSpans) ?? false,
    followIndex: flag(followIndex) ?? false,
    lambdaFlushMs: isCount(lambdaFlushMs) ? lambdaFlushMs : 2000,
  };
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
