/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { diag } from '@opentelemetry/api';

import { sdkDependency } from './sdk-dependency';

interface Configuration {
  createConfigFactory(): { getConfigModel(): object };
}

/**
 * What the file that `OTEL_CONFIG_FILE` names says, checked by its schema and with its variables replaced; undefined without
 * one, and for one that cannot be used.
 */
export function configurationFromFile(env: NodeJS.ProcessEnv): object | undefined {
  if (!env['OTEL_CONFIG_FILE']?.trim()) return undefined;
  try {
    return sdkDependency<Configuration>('@opentelemetry/configuration').createConfigFactory().getConfigModel();
  } catch (error) {
    // Not on standard error: there the SDK says it, which reads the file too.
    diag.warn('@otel-messaging/auto: could not read the file that OTEL_CONFIG_FILE names', error);
    return undefined;
  }
}
