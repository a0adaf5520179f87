/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { Readable } from 'node:stream';
import { context, propagation } from '@opentelemetry/api';
import { awaitMessages } from '../src';
import { activeMessage as active, activeSpanId, applicationWork, type Message, pause, Rig } from './support';

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(() => rig.stopWithNothingLeft());

const receive = (...ids: string[]) => rig.receive(...ids);

/** What a handler sees: before, between and after what it waits for. */
async function handle({ facts }: Message, seen: string[]): Promise<void> {
  for (let i = 0; i < 3; i++) {
    seen.push(`${facts?.id} in ${active()}`);
    await pause();
  }
}

const own = (...ids: string[]) => ids.flatMap((id) => Array(3).fill(`${id} in ${id}`));

describe('a generator that polls', () => {
  /** @param tells whether the call that receives says so, as that of a client does */
  async function* poll(batches: string[][], tells: boolean): AsyncGenerator<Message> {
    for (const batch of batches) {
      if (tells) awaitMessages();
      await pause();
      if (batch.length === 0) continue;
      for (const message of receive(...batch)) yield message;
    }
  }

  test('gives each message to a handler in its own context', async () => {
    await pause();
    const seen: string[] = [];
    for await (const message of poll([['1', '2'], [], ['3'], ['4', '5']], true)) await handle(message, seen);
    expect(seen).toEqual(own('1', '2', '3', '4', '5'));
    expect(rig.spans('process orders')).toHaveLength(5);
  });

  test('does so for one array after another, each in a generator of its own', async () => {
    await pause();
    const seen: string[] = [];
    for (const id of ['1', '2']) for await (const message of poll([[id]], true)) await handle(message, seen);
    expect(seen).toEqual(own('1', '2'));
  });

  test('through another generator', async () => {
    async function* notEmpty(messages: AsyncIterable<Message>) {
      for await (const message of messages) if (message.facts !== undefined) yield message;
    }
    await pause();
    const seen: string[] = [];
    for await (const message of notEmpty(poll([['1', '2'], ['3']], true))) await handle(message, seen);
    expect(seen).toEqual(own('1', '2', '3'));
  });

  test('where nothing tells of the first call, from the second message on', async () => {
    await pause();
    const seen: string[] = [];
    for await (const message of poll([['1'], ['2'], [], ['3']], false)) await handle(message, seen);
    expect(seen).toEqual([...Array(3).fill('1 in none'), ...own('2', '3')]);
  });

  test('leaves its baggage to the work that a handler began', async () => {
    const baggages: unknown[] = [];
    const batches = ['1', '2'].map((id) => [{ headers: { ...rig.sent().headers, baggage: `tenant=${id}` } }]);
    async function* messages() {
      for (const batch of batches) {
        awaitMessages();
        await pause();
        yield* rig.received(batch);
      }
    }
    await pause();
    const late: Promise<void>[] = [];
    const background = async () => {
      for (let i = 0; i < 10; i++) await pause();
      baggages.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
    };
    for await (const _ of messages()) {
      late.push(background());
      await pause();
    }
    expect(propagation.getActiveBaggage()).toBeUndefined();
    await Promise.all(late);
    expect(baggages).toEqual(['1', '2']);
  });

  test('has no effect on the caller of a consumer that was started in the same turn', async () => {
    const seen: string[] = [];
    const consume = async () => {
      for await (const message of poll([['1', '2'], ['3']], true)) await handle(message, seen);
    };
    await pause();
    const consumed = consume();
    const caller = new Set([active()]);
    const timer = setInterval(() => caller.add(active()), 1).unref();
    await consumed;
    caller.add(active());
    clearInterval(timer);
    expect([...caller]).toEqual(['none']);
    expect(seen.slice(3)).toEqual(own('2', '3')); // nobody can tell the first one's handler in time
  });

  test('that is left, or ends, leaves what was active before, also to what is begun then', async () => {
    const walk = async () => {
      await pause();
      for await (const message of poll([['1'], ['2']], true)) {
        await pause();
        if (message.facts?.id === '2') break;
      }
      expect(activeSpanId()).toBeUndefined();
      for await (const _ of poll([['3'], []], true)) await pause();
    };
    await rig.tracing.inSpan('poll', async () => {
      const before = activeSpanId();
      for await (const _ of poll([['0'], []], true)) await pause();
      expect(activeSpanId()).toBe(before);
    });
    await walk();
    expect(activeSpanId()).toBeUndefined();
    const late: string[] = [];
    let isOver = false;
    const background = (async () => {
      for (let i = 0; !isOver && i < 1000; i++) {
        late.push(active());
        await pause();
      }
    })();
    const seen: string[] = [];
    for await (const message of poll([['5'], ['6']], true)) await handle(message, seen);
    for (const message of receive('7')) await handle(message, seen);
    isOver = true;
    await background;
    expect(seen).toEqual(own('5', '6', '7'));
    expect(new Set(late)).toEqual(new Set(['none']));
  });

  test('that yields whole arrays leaves them to the loop that walks them', async () => {
    async function* arrays() {
      for (const ids of [['1', '2'], ['3']]) {
        awaitMessages();
        await pause();
        yield receive(...ids);
      }
    }
    await pause();
    const seen: string[] = [];
    for await (const messages of arrays()) for (const message of messages) await handle(message, seen);
    expect(seen).toEqual(own('1', '2', '3'));
  });
});

test('a generator that is asked from other contexts goes back to what was active there', async () => {
  const messages = receive('1', '2', '3');
  function* each() {
    yield* messages;
  }
  const iterator = each();
  for (let i = 1; i <= 4; i++) {
    await rig.tracing.inSpan(`iteration ${i}`, async () => {
      await pause();
      const { done } = iterator.next();
      await pause();
      applicationWork(`work ${i}`);
      if (done) expect(activeSpanId()).toBe(rig.span('work 4').parentSpanContext?.spanId);
    });
  }
  expect(rig.span('work 4').parentSpanContext?.spanId).toBe(rig.span('iteration 4').spanContext().spanId);
  for (const [i, span] of rig.spans('process orders').entries()) {
    expect(rig.span(`work ${i + 1}`).parentSpanContext?.spanId).toBe(span.spanContext().spanId);
    const links = span.links.map((link) => link.context.spanId);
    expect(links).toContain(rig.span(`iteration ${i + 1}`).spanContext().spanId);
  }
});

describe('a stream reads ahead, so that no message is taken for handled, nor its context made active, by', () => {
  type Walk = (messages: Message[], handler: (message: Message) => Promise<void>) => unknown;
  test.each<[string, Walk]>([
    [
      'Readable.from',
      async (messages, handler) => {
        for await (const message of Readable.from(messages)) await handler(message);
      },
    ],
    [
      'its events',
      async (messages, handler) => {
        const handled: Promise<void>[] = [];
        await new Promise((resolve) => {
          const stream = Readable.from(messages);
          stream.on('data', (message) => handled.push(handler(message)));
          stream.on('end', resolve);
        });
        await Promise.all(handled);
      },
    ],
    ['its map', (messages, handler) => Readable.from(messages).map(handler, { concurrency: 2 }).toArray()],
    [
      'Readable.from over a generator',
      async (messages, handler) => {
        async function* all() {
          for (const message of messages) yield message;
        }
        for await (const message of Readable.from(all())) await handler(message);
      },
    ],
    [
      'ReadableStream.from',
      async (messages, handler) => {
        for await (const message of ReadableStream.from(messages)) await handler(message);
      },
    ],
  ])('%s', async (_, walk) => {
    const seen: string[] = [];
    await walk(receive('1', '2', '3'), (message) => handle(message, seen));
    expect(seen.sort()).toEqual(['1', '2', '3'].flatMap((id) => Array(3).fill(`${id} in none`)));
    expect(rig.spans('process orders')).toEqual([]);
  });

  test('a generator that waits before its messages, but for the span of the first', async () => {
    async function* all() {
      await pause();
      for (const message of receive('1', '2', '3')) yield message;
    }
    const seen: string[] = [];
    for await (const message of Readable.from(all())) await handle(message, seen);
    expect(seen.filter((line) => !line.endsWith('none'))).toEqual([]);
  });
});

describe('loops that are begun in one turn', () => {
  const handleAll = async (messages: Message[], seen: string[]) => {
    for (const message of messages) await handle(message, seen);
  };

  test('do not see each other', async () => {
    const [first, second, third] = [receive('1', '2'), rig.received([{ facts: { id: '3' } }]), receive('4')];
    const seen: string[] = [];
    await Promise.all([handleAll(first, seen), handleAll(second, seen), handleAll(third, seen)]);
    expect(seen.sort()).toEqual(own('1', '2', '3', '4'));
    const ids = rig.spans('process orders').map((span) => span.spanContext().spanId);
    for (const span of rig.spans('process orders')) {
      expect(ids).not.toContain(span.parentSpanContext?.spanId);
      for (const link of span.links) expect(ids).not.toContain(link.context.spanId);
    }
  });

  test('do not see each other where they are begun from the same place', async () => {
    const lists = [receive('1'), rig.received([{ facts: { id: '2' } }]), receive('3')];
    const seen: string[] = [];
    await Promise.all(lists.map((list) => handleAll(list, seen)));
    expect(seen.sort()).toEqual(own('1', '2', '3'));
    const span = rig.spans('process orders').find(({ attributes }) => attributes['messaging.message.id'] === '2');
    expect(span?.parentSpanContext).toBeUndefined();
  });

  test('have the baggage of their own messages', async () => {
    const [first, second] = [rig.received([{ headers: { ...rig.sent().headers, baggage: 'tenant=a' } }]), receive('2')];
    const seen: unknown[] = [];
    const walk = async (messages: Message[]) => {
      for (const _ of messages) {
        await pause();
        seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
      }
    };
    await Promise.all([walk(first), walk(second)]);
    expect(seen).toEqual(['a', undefined]);
  });

  test('one within another belongs to its message', async () => {
    const [outer, inner] = [receive('1'), rig.received([{ facts: { id: '2' } }])];
    const seen: string[] = [];
    for (const message of outer) {
      for (const nested of inner) await pause().then(() => seen.push(`${nested.facts?.id} in ${active()}`));
      await handle(message, seen);
    }
    expect(seen).toEqual(['2 in 2', ...own('1')]);
    const [one, two] = ['1', '2'].map((id) =>
      rig.spans('process orders').find(({ attributes }) => attributes['messaging.message.id'] === id),
    );
    expect(two?.parentSpanContext?.spanId).toBe(one?.spanContext().spanId);
  });

  test('one in a function that the body of another calls belongs to its message', async () => {
    const [outer, inner] = [receive('1'), rig.received([{ facts: { id: '2' } }])];
    const seen: string[] = [];
    for (const message of outer) {
      await handleAll(inner, seen);
      await handle(message, seen);
    }
    expect(seen).toEqual(own('2', '1'));
    const [one, two] = ['1', '2'].map((id) =>
      rig.spans('process orders').find(({ attributes }) => attributes['messaging.message.id'] === id),
    );
    expect(two?.parentSpanContext?.spanId).toBe(one?.spanContext().spanId);
  });
});

describe('work that outlives the body of the first message', () => {
  const walk = async (messages: Message[], seen: string[], limit: number) => {
    const running = new Set<Promise<void>>();
    for (const message of messages) {
      const job = handle(message, seen).finally(() => running.delete(job));
      running.add(job);
      if (running.size >= limit) await Promise.race(running);
    }
    await Promise.all(running);
  };

  test.each([1, 2, 3])(
    'keeps its trace in a loop that goes on after an await, with %d begun at once',
    async (limit) => {
      await pause();
      const seen: string[] = [];
      const jobs: Promise<void>[] = [];
      for (const message of receive('1', '2', '3', '4')) {
        jobs.push(handle(message, seen));
        if (jobs.length >= limit) await undefined;
      }
      await Promise.all(jobs);
      expect(seen.sort()).toEqual(own('1', '2', '3', '4'));
    },
  );

  test('is not in the way of a caller that waits for the loop', async () => {
    await pause();
    const seen: string[] = [];
    await walk(receive('1', '2', '3'), seen, 2);
    expect(activeSpanId()).toBeUndefined();
    expect(seen).toHaveLength(9);
    expect(seen.filter((line) => !/^(\d) in (\1|none)$/.test(line))).toEqual([]);
  });

  test('keeps what is active for a body that the application made itself', async () => {
    await pause();
    const key = Symbol('own');
    for (const _ of receive('1', '2')) {
      await context.with(context.active().setValue(key, 'mine'), async () => {
        await pause();
        expect(context.active().getValue(key)).toBe('mine');
        expect(active()).not.toBe('none');
      });
    }
  });
});
