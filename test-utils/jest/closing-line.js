/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

'use strict';

/** Ends the run with one plain line that any reader of a log understands. */
module.exports = class ClosingLine {
  onRunComplete(_, { numPassedTests, numFailedTests }) {
    process.stdout.write(`\n${numPassedTests} passed, ${numFailedTests} failed\n`);
  }
};
