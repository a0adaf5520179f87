/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { applyInstrumentation } from '@otel-messaging/test-utils';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { KafkaInstrumentation } from '../src';
import { remembering } from '../src/clients/kafkajs';
import { withClusterId } from '../src/clients/kafkajs-cluster';

const CONFIG = { clientId: 'shop', brokers: ['kafka:9092'], logLevel: logLevel.NOTHING };
const originals = { producer: Kafka.prototype.producer, consumer: Kafka.prototype.consumer };
const patched = () => ({ producer: Kafka.prototype.producer, consumer: Kafka.prototype.consumer });

/** What the require hook does with the file. */
function patchFile(exports: unknown): unknown {
  const { _modules } = instrumentation as unknown as { _modules: { files: { patch(exports: unknown): unknown }[] }[] };
  return _modules[0]?.files[0]?.patch(exports);
}

let instrumentation: KafkaInstrumentation;
beforeEach(() => {
  instrumentation = new KafkaInstrumentation();
  applyInstrumentation(instrumentation, require);
});
afterEach(() => {
  instrumentation.disable();
  expect(patched()).toEqual(originals);
});

describe('the patched functions', () => {
  test('look like those of kafkajs', () => {
    const { producer, consumer } = patched();
    expect(producer).not.toBe(originals.producer);
    expect([producer.name, producer.length, consumer.name, consumer.length]).toEqual(['producer', 0, 'consumer', 0]);
  });

  test('are put on once, taken off, and put on again', () => {
    const first = patched();
    instrumentation.enable();
    expect(patched()).toEqual(first);
    instrumentation.disable();
    expect(patched()).toEqual(originals);
    instrumentation.enable();
    expect(patched().producer).not.toBe(originals.producer);
  });

  test("give kafkajs's own errors", () => {
    const kafka = new Kafka(CONFIG);
    expect(() => kafka.consumer({} as never)).toThrow('Consumer groupId must be a non-empty string.');
    expect(() => kafka.consumer(null as never)).toThrow(TypeError);
    expect(() => kafka.producer({ idempotent: true, retry: { retries: 0 } })).toThrow('Idempotent producer must allow');
  });

  test('hand out objects with the methods that kafkajs has', () => {
    const config = { createPartitioner: Partitioners.DefaultPartitioner };
    const names = (client: object) => Object.keys(client);
    const kafka = new Kafka(CONFIG);
    const traced = [names(kafka.producer(config)), names(kafka.consumer({ groupId: 'g' }))];
    instrumentation.disable();
    expect([names(kafka.producer(config)), names(kafka.consumer({ groupId: 'g' }))]).toEqual(traced);
  });
});

test('every copy of kafkajs is patched, and patched again', () => {
  let other = Kafka;
  jest.isolateModules(() => {
    applyInstrumentation(instrumentation, require);
    other = (require('kafkajs') as { Kafka: typeof Kafka }).Kafka;
  });
  expect(other).not.toBe(Kafka);
  const isPatched = () => [Kafka, other].map(({ prototype }) => '__wrapped' in prototype.producer);
  expect(isPatched()).toEqual([true, true]);
  instrumentation.disable();
  expect(isPatched()).toEqual([false, false]);
  instrumentation.enable();
  expect(isPatched()).toEqual([true, true]);
});

test.each<[string, unknown]>([
  ['a class without these methods', class {}],
  ['an object', {}],
  ['nothing', undefined],
])('%s in the place of the class stays as it is', (_, exports) => {
  const given = patchFile(exports);
  if (typeof exports === 'function') expect(new (given as new () => object)()).toBeInstanceOf(exports);
  else expect(given).toBe(exports);
});

test('the namespace of an ES module stays as it is, with its class patched', () => {
  class Client {
    producer(): void {}
    consumer(): void {}
  }
  const { producer } = Client.prototype;
  const namespace = Object.freeze({ default: Client });
  expect(patchFile(namespace)).toBe(namespace);
  expect(Client.prototype.producer).not.toBe(producer);
});

test('a second instrumentation stands down', () => {
  const first = patched();
  const second = new KafkaInstrumentation();
  applyInstrumentation(second, require);
  expect(patched()).toEqual(first);
  second.disable();
  expect(patched()).toEqual(first);
});

describe('the class that the application gets', () => {
  test('is the class for all that can be seen', () => {
    const Remembering = remembering(Kafka, instrumentation.telemetry);
    const kafka = new Remembering(CONFIG);
    expect(kafka).toBeInstanceOf(Kafka);
    expect(kafka).toBeInstanceOf(Remembering);
    expect([Remembering.name, Remembering.length, Remembering.prototype]).toEqual([
      Kafka.name,
      Kafka.length,
      Kafka.prototype,
    ]);
  });

  test('can be extended', () => {
    class ShopKafka extends remembering(Kafka, instrumentation.telemetry) {
      readonly isShop = true;
    }
    const kafka = new ShopKafka(CONFIG);
    expect([kafka.isShop, kafka instanceof ShopKafka, kafka.constructor]).toEqual([true, true, ShopKafka]);
    expect(kafka.consumer({ groupId: 'g' }).run).toBeInstanceOf(Function);
  });

  test("gives kafkajs's own errors", () => {
    const Remembering = remembering(Kafka, instrumentation.telemetry) as unknown as {
      new (config?: unknown): Kafka;
      (): void;
    };
    const messageOf = (code: () => unknown) => {
      try {
        code();
      } catch (error) {
        return String(error);
      }
      return 'none';
    };
    const Plain = Kafka as unknown as typeof Remembering;
    expect(messageOf(() => new Remembering())).toBe(messageOf(() => new Plain()));
    expect(messageOf(() => new Remembering(null))).toBe(messageOf(() => new Plain(null)));
    expect(messageOf(() => Remembering())).toBe(messageOf(() => Plain()));
  });
});

describe('the function that makes clusters', () => {
  const config = { createPartitioner: Partitioners.DefaultPartitioner };
  const stateOf = (kafka: Kafka) => Reflect.ownKeys(kafka).map((key) => [key, Reflect.get(kafka, key)]);

  test('is back when a client is made, and when kafkajs refuses to make one', () => {
    const kafka = new Kafka(CONFIG);
    const before = stateOf(kafka);
    kafka.producer(config);
    kafka.consumer({ groupId: 'g' });
    expect(() => kafka.consumer({} as never)).toThrow('groupId');
    expect(stateOf(kafka)).toEqual(before);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'cluster'],
    ['a cluster without a pool', {}],
    ['one without metadata', { brokerPool: {} }],
    ['one that has asked for nothing yet', { brokerPool: { metadata: null } }],
    ['one with metadata as of old brokers', { brokerPool: { metadata: { brokers: [] } } }],
  ])('may give %s: there is no id', (_, made) => {
    const kafka = new Kafka(CONFIG);
    const symbol = Reflect.ownKeys(kafka).find((key) => String(key).includes('createCluster')) as symbol;
    Reflect.set(kafka, symbol, () => made);
    const make = () => Reflect.apply(Reflect.get(kafka, symbol), kafka, []);
    const { client, clusterId } = withClusterId(kafka, instrumentation.telemetry, make);
    expect(client).toBe(made);
    expect(clusterId?.get()).toBeUndefined();
  });
});
