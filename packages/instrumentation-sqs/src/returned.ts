/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** Base of classes whose private fields are on objects of others. */
export class Returned {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: what a derived class then puts its private fields on
    return object;
  }
}
