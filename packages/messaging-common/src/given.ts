/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** Base of classes whose private fields are on objects of others: `super(object)` makes that object `this`. */
export const Given = given as unknown as new (object: object) => object;

/** Makes nothing: called as a constructor, it gives back the object that it is given. */
function given(object: object): object {
  return object;
}
