/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

/** The topics of an order, in the order in which it meets them, and how long a message waits in each before it is tried. */
function stepsOf(orders) {
  return [
    { topic: orders, waitMs: 0 },
    { topic: `${orders}.retry.1`, waitMs: 150 },
    { topic: `${orders}.retry.2`, waitMs: 400 },
  ];
}

const deadLettersOf = (orders) => `${orders}.DLT`;

module.exports = { deadLettersOf, stepsOf };
