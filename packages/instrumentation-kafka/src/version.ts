/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** The version of this package, as its spans' scope says it. */
export const VERSION = '0.1.0';
