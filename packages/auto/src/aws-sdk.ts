/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Instrumentation, InstrumentationModuleDefinition } from '@opentelemetry/instrumentation';

import { report } from './report';

const AWS_SDK = '@opentelemetry/instrumentation-aws-sdk';

/** Service names by the client package that serves them. */
const SERVICES: Readonly<Record<string, string>> = { '@aws-sdk/client-sqs': 'SQS', '@aws-sdk/client-sns': 'SNS' };

type Send = (this: { config?: { serviceId?: string } }, ...args: unknown[]) => unknown;
type Resolve = (this: unknown, handler: unknown, context?: { clientName?: string }) => unknown;

/** The two makers of patches in upstream's class. Private there, but the same since its first versions. */
interface AwsSdkPatches {
  _getV3SmithyClientSendPatch(version: string | undefined, original: Send): Send;
  _getV3MiddlewareStackResolvePatch(version: string | undefined, original: Resolve): Resolve;
}

/**
 * `instrumentation` itself, which if it is upstream's for the AWS SDK leaves alone the services that one of `ours` traces.
 * Undefined if it cannot be told to: two spans and two headers for one message would be worse than none of its spans.
 *
 * Upstream has no option for this, and its hooks come too late: a span that was started cannot be taken back.
 */
export function withoutServices(
  instrumentation: Instrumentation,
  ours: readonly Instrumentation[],
): Instrumentation | undefined {
  const services = new Set(ours.flatMap(moduleNames).flatMap((name) => SERVICES[name] ?? []));
  if (instrumentation.instrumentationName !== AWS_SDK || services.size === 0) return instrumentation;
  if (!hasPatches(instrumentation)) {
    instrumentation.disable();
    report(
      `${AWS_SDK} of this version cannot be told to leave SQS to us and is off; OTEL_NODE_DISABLED_INSTRUMENTATIONS=sqs keeps it`,
    );
    return undefined;
  }
  leaveAlone(instrumentation, services);
  return instrumentation;
}

/** The modules that an instrumentation hooks. */
export function moduleNames(instrumentation: Instrumentation): string[] {
  const { getModuleDefinitions } = instrumentation as {
    getModuleDefinitions?: () => InstrumentationModuleDefinition[];
  };
  return getModuleDefinitions?.call(instrumentation).map(({ name }) => name) ?? [];
}

function leaveAlone(patches: AwsSdkPatches, services: ReadonlySet<string>): void {
  const sendPatch = patches._getV3SmithyClientSendPatch;
  const resolvePatch = patches._getV3MiddlewareStackResolvePatch;
  patches._getV3SmithyClientSendPatch = (version, original) => {
    const patched = sendPatch.call(patches, version, original);
    return function send(...args) {
      return (services.has(this.config?.serviceId ?? '') ? original : patched).apply(this, args);
    };
  };
  patches._getV3MiddlewareStackResolvePatch = (version, original) => {
    const patched = resolvePatch.call(patches, version, original);
    return function resolve(handler, context) {
      const service = context?.clientName?.replace(/Client$/, '') ?? '';
      return (services.has(service) ? original : patched).call(this, handler, context);
    };
  };
}

function hasPatches(candidate: unknown): candidate is AwsSdkPatches {
  const { _getV3SmithyClientSendPatch: send, _getV3MiddlewareStackResolvePatch: resolve } = candidate as AwsSdkPatches;
  return typeof send === 'function' && typeof resolve === 'function';
}
