/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { InstrumentationNodeModuleDefinition, moduleFile } from '@otel-messaging/messaging-common';
import { type ConfluentKafkaClass, patchConfluent } from './confluent';
import { patchRdKafka, type RdKafka } from './rdkafka';
import { RdKafkaScope } from './rdkafka-scope';
import type { Means } from './scope';

/** What a native client's module exports, as far as it matters. */
interface NativeExports extends RdKafka {
  readonly KafkaJS?: { readonly Kafka?: ConfluentKafkaClass };
}

/** A file of a package, and what its exports are among those of the package. */
type File = readonly [path: string, part: (exports: never) => NativeExports];

const STREAMS: File = ['lib/kafka-consumer-stream.js', (exports) => ({ KafkaConsumerStream: exports })];

/**
 * Definitions for clients that are made of librdkafka. Some files are hooked besides the module: they are loaded by
 * `require` inside the package, also for ES module applications where nothing hooks `import`.
 */
export function nativeDefinitions(means: () => Means): InstrumentationNodeModuleDefinition[] {
  return [
    definition(means, '@confluentinc/kafka-javascript', '>=1 <2', [
      ['lib/rdkafka.js', (exports) => exports],
      STREAMS,
      ['lib/kafkajs/index.js', (exports) => ({ KafkaJS: exports })],
    ]),
    definition(means, 'node-rdkafka', '>=3 <4', [
      ['lib/producer.js', (exports) => ({ Producer: exports })],
      ['lib/kafka-consumer.js', (exports) => ({ KafkaConsumer: exports })],
      STREAMS,
    ]),
  ];
}

function definition(means: () => Means, name: string, versions: string, files: readonly File[]) {
  // All copies of the package: the base class remembers the last one only, for `enable()`.
  const copies = new Set<NativeExports>();
  let scope: RdKafkaScope | undefined;
  const patch = (exports: NativeExports): void => {
    scope ??= new RdKafkaScope(name, means());
    for (const copy of copies.add(exports)) {
      patchRdKafka(copy, scope);
      if (copy.KafkaJS?.Kafka !== undefined) patchConfluent(copy.KafkaJS.Kafka, scope);
    }
  };
  /** @param part what the exports are among those of the package; they come as a namespace where `import` is hooked */
  const hook = (part: File[1]) => {
    const parts = new WeakMap<object, NativeExports>();
    return (exports: object) => {
      means().telemetry.guard(`patch ${name}`, undefined, () => {
        const own = unwrapped(exports);
        const known = parts.get(own) ?? part(own as never);
        parts.set(own, known);
        patch(known);
      });
      return exports;
    };
  };
  return new InstrumentationNodeModuleDefinition(
    name,
    [versions],
    hook((exports) => exports),
    undefined,
    files.map(([path, part]) => moduleFile(`${name}/${path}`, [versions], hook(part))),
  );
}

function unwrapped(exports: object): object {
  return (exports as { default?: object }).default ?? exports;
}
