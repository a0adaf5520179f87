/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

/** Tracing in the application's own code; each client has its file in `hand-written/`. */
module.exports = {
  register() {},
  tracing: (client) => require(`./hand-written/${client}.cjs`),
};
