/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

/** The application as it is: what the client's thin remainder and the workload's own loop cost. */
module.exports = { register() {} };
