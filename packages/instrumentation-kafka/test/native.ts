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
    bringHome((load(`${name}/librdkafka.js`) as Binding).KafkaConsumer.prototype);
    return load(name) as T;
  } catch {
    return undefined;
  }
}

interface Binding {
  readonly KafkaConsumer: { readonly prototype: { consume(...args: unknown[]): unknown } };
}

/** Native code makes arrays as the process has them; an application has the same, but jest gives each test its own. */
function bringHome(prototype: Binding['KafkaConsumer']['prototype']): void {
  const { consume } = prototype;
  prototype.consume = function (...args: unknown[]) {
    const callback = args.pop() as (...answer: unknown[]) => void;
    const home = (value: unknown) => (Array.isArray(value) ? Array.from(value) : value);
    return consume.call(this, ...args, (...answer: unknown[]) => callback(...answer.map(home)));
  };
}

/** Tests of a native client; one test that says how to have them, where its binding was not built. */
export function describeNative<T>(client: T | undefined, name: string, define: (client: T) => void): void {
  if (client !== undefined) {
    describe(name, () => define(client));
    return;
  }
  const command = name === 'node-rdkafka' ? 'npm run test:node-rdkafka' : 'npm run build:native, then again';
  test(`${name} is not tested here: ${command}`, () => {
    process.stderr.write(`${name}: not tested: ${command}\n`);
  });
}
