/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Rig, RigClient, RigMessage } from '@otel-messaging/test-utils';
import { disconnected, type RdConsumer, type RdKafka, type RdMessage, type RdProducer, TestRdKafka } from './rdkafka';

/** How a consumer takes messages: as they flow in, or by asking for a number of them. */
export type Taking = 'data' | 'poll';

type Arguments = readonly [
  topic: string,
  partition: null,
  value: Buffer | null,
  key: null,
  timestamp: null,
  opaque: unknown,
  headers?: readonly Record<string, unknown>[],
];

/** The rig of a client with librdkafka's API. */
export function rdkafkaRig(
  name: string,
  client: RdKafka,
  taking: Taking,
  rig: Pick<Rig, 'instrumentation'> & { topic(): Promise<string> },
): Rig {
  const { Producer, KafkaConsumer } = client;
  return {
    name: `${name} ${taking}`,
    instrumentation: rig.instrumentation,
    doors: [
      { holder: Producer.prototype, name: 'produce', original: originals(client).produce },
      { holder: KafkaConsumer.prototype, name: 'consume', original: originals(client).consume },
    ],
    cannot: {
      batch: 'produce takes one message',
      'rejected sends': 'produce throws at once',
      'a limit on headers': 'Kafka bounds a whole message, not its headers',
    },
    async connect() {
      const topic = await rig.topic();
      const cluster = new TestRdKafka(client);
      return new Client(taking, topic, await cluster.producer(), await cluster.consumer([topic]));
    },
  };
}

const known = new Map<RdKafka, { produce: unknown; consume: unknown }>();

/** The functions of a client before anything wrapped them: to be called first. */
export function originals(client: RdKafka) {
  let own = known.get(client);
  if (own === undefined) {
    own = {
      produce: (client.Producer.prototype as RdProducer).produce,
      consume: (client.KafkaConsumer.prototype as RdConsumer).consume,
    };
    known.set(client, own);
  }
  return own;
}

class Client implements RigClient<Arguments, RdMessage> {
  private readonly taken = new Set<number>();
  private listener: ((message: RdMessage) => unknown) | undefined;

  constructor(
    private readonly taking: Taking,
    private readonly topic: string,
    private readonly producer: RdProducer,
    private readonly consumer: RdConsumer,
  ) {}

  input({ body, headers }: RigMessage): Arguments {
    const list = headers && Object.entries(headers).map(([name, value]) => ({ [name]: value }));
    return [this.topic, null, text(body), null, null, undefined, list];
  }

  send(args: Arguments): unknown {
    return this.producer.produce(...args);
  }

  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.producer.flush(5_000, (error) => {
        // Reports are behind: one turn of the producer's own polling brings them.
        setTimeout(() => (error ? reject(error) : resolve()), 20);
      });
    });
  }

  consume(count: number, handler: (message: RdMessage) => unknown): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      let pending = count;
      let unfinished = count;
      const take = (message: RdMessage): unknown => {
        if (pending === 0 || this.taken.has(message.offset)) return undefined;
        this.taken.add(message.offset);
        pending--;
        // What flows on while nobody listens would be lost.
        if (pending === 0 && this.taking === 'data') this.consumer.pause([{ topic: this.topic, partition: 0 }]);
        const finish = () => {
          unfinished--;
          if (unfinished === 0) resolve();
        };
        let result: unknown;
        try {
          result = handler(message);
        } catch (error) {
          pending = 0;
          reject(error);
          return undefined; // a listener that throws ends the process
        }
        if (result instanceof Promise) {
          return result.then(finish, (error) => {
            pending = 0;
            reject(error);
          });
        }
        finish();
        return result;
      };
      this.start(take, () => pending === 0);
    });
  }

  body({ value }: RdMessage): string {
    return String(value);
  }

  headers({ headers = [] }: RdMessage): Readonly<Record<string, string>> {
    return Object.fromEntries(
      headers.flatMap((one) => Object.entries(one).map(([name, value]) => [name, String(value)])),
    );
  }

  forward({ value, headers }: RdMessage): Arguments {
    return [this.topic, null, value, null, null, undefined, headers];
  }

  readonly malformed = {
    'no topic': () => this.producer.produce(undefined, null, text('a')),
    'a value that is no buffer': () => this.producer.produce(this.topic, null, 'a'),
  };

  async close(): Promise<void> {
    await Promise.all([disconnected(this.consumer), disconnected(this.producer)]);
  }

  private start(take: (message: RdMessage) => unknown, isDone: () => boolean): void {
    if (this.taking === 'poll') {
      this.poll(take, isDone);
      return;
    }
    if (this.listener !== undefined) this.consumer.removeListener('data', this.listener);
    this.consumer.on('data', take);
    // Once for a consumer's life.
    if (this.listener === undefined) this.consumer.consume();
    else this.consumer.resume([{ topic: this.topic, partition: 0 }]);
    this.listener = take;
  }

  private poll(take: (message: RdMessage) => unknown, isDone: () => boolean): void {
    this.consumer.consume(10, async (error: unknown, messages: RdMessage[]) => {
      if (!error) for (const message of messages) await take(message);
      if (!isDone()) setImmediate(() => this.poll(take, isDone));
    });
  }
}

/** A buffer of its own: a slice of the pool cannot be told from one that was frozen. */
function text(body: string): Buffer {
  return Buffer.from(body);
}
