/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** Whether this process is a Lambda function; it does not change. */
const isLambda = process.env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined;

/** The X-Ray header of the invocation that is running, in a Lambda function. */
export function invocationHeader(): string | undefined {
  if (!isLambda) return undefined;
  const { awslambda } = globalThis as { awslambda?: { InvokeStore?: { getXRayTraceId?(): unknown } } };
  const header = awslambda?.InvokeStore?.getXRayTraceId?.() ?? process.env['_X_AMZN_TRACE_ID'];
  return typeof header === 'string' ? header : undefined;
}

/**
 * What has to be in every trace header that leaves a Lambda function: by it Lambda counts how often a function has called
 * itself through a queue, and stops a loop. A header of ours without it would take the place of the client's, which has it.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
export function lineage(): string {
  const header = invocationHeader();
  const [found] = header === undefined ? [] : (/;\s*Lineage=[^;]+/i.exec(header) ?? []);
  return found ?? '';
}
