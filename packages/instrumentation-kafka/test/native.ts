/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * The exports of a native client, or undefined where its binding was not built; then the tests of it say so.
 * @param load the test's own `require`
 */
export function nativeClient<T>(load: NodeJS.Require, name: string): T | undefined {
  try {
    return load(name) as T;
  } catch {
    return undefined;
  }
}

/** Tests of a native client; one test that says what is missing, where its binding was not built. */
export function describeNative<T>(client: T | undefined, name: string, define: (client: T) => void): void {
  if (client !== undefined) {
    describe(name, () => define(client));
    return;
  }
  test(`${name} has no binding: npm run build:native builds it`, () => {
    process.stderr.write(`${name}: not tested: its native binding is not built (npm run build:native)\n`);
  });
}
