/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import 'reflect-metadata';
import { lastValueFrom, NEVER, Observable, of, Subject } from 'rxjs';
import { nestModule } from '../src';
import { Patches } from '../src/patching';
import { type Message, PROMISE, pause, Rig } from './support';

// Parts of the real framework; as a whole it runs in the tests of the client packages.
const { RpcProxy } = require('@nestjs/microservices/context/rpc-proxy') as {
  RpcProxy: new () => {
    create(handler: (...args: unknown[]) => unknown, exceptions: object): (...args: unknown[]) => Promise<unknown>;
  };
};
const { Server } = require('@nestjs/microservices/server/server') as {
  Server: { prototype: { send(stream: Observable<unknown>, respond: (packet: unknown) => unknown): unknown } };
};

let rig: Rig;
let patches: Patches;
const originals = { create: RpcProxy.prototype.create, send: Server.prototype.send };

beforeEach(() => {
  rig = new Rig();
  const wrap = (target: Record<PropertyKey, unknown>, name: PropertyKey, wrapper: (original: unknown) => unknown) => {
    target[name] = wrapper(target[name]);
  };
  patches = new Patches(wrap, { name: 'nest', isEnabled: () => true }, () => {});
  const { files } = nestModule(patches, rig.telemetry);
  files[0]?.patch({ RpcProxy });
  files[1]?.patch({ Server });
});

afterEach(async () => {
  expect(rig.tracing.openSpans).toBe(0);
  patches.removeAll();
  expect([RpcProxy.prototype.create, Server.prototype.send]).toEqual([originals.create, originals.send]);
  await rig.tracing.stop();
});

const exceptions = { handle: (error: unknown) => of(error) };

/** Calls a handler of the framework's as a transport does, which awaits it and then subscribes. */
function handle<T>(code: () => Promise<T>): Promise<T> {
  const message: Message = { headers: {} };
  const operation = rig.telemetry.startProcess(rig.plan('process'), message, {
    get: () => undefined,
    keys: () => [],
    describe: () => ({}),
  });
  if (operation === undefined) throw new Error('not started');
  return operation.handle(PROMISE, code, undefined);
}

test('the stream of a handler is waited for, and is not touched', async () => {
  const subject = new Subject<number>();
  const stream = Object.freeze(subject.asObservable());
  const proxy = new RpcProxy().create(() => stream, exceptions);
  const seen: unknown[] = [];
  await handle(async () => {
    const result = (await proxy()) as Observable<number>;
    expect(result).toBeInstanceOf(Observable);
    result.subscribe((value) => seen.push(value));
  });
  await pause();
  subject.next(1);
  expect([seen, rig.tracing.openSpans]).toEqual([[1], 1]);
  subject.complete();
  await pause();
  expect(rig.tracing.openSpans).toBe(0);
});

test('a stream that nobody subscribes to is not waited for', async () => {
  const proxy = new RpcProxy().create(() => NEVER, exceptions);
  await handle(async () => void (await proxy()));
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(rig.tracing.openSpans).toBe(0);
});

test('a subscription that is given up is waited for no longer', async () => {
  const proxy = new RpcProxy().create(() => NEVER, exceptions);
  const subscription = await handle(async () => ((await proxy()) as Observable<unknown>).subscribe());
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(rig.tracing.openSpans).toBe(1);
  subscription.unsubscribe();
  await pause();
  expect(rig.tracing.openSpans).toBe(0);
});

test('an error that the framework answers marks the span', async () => {
  const proxy = new RpcProxy().create(async () => {
    throw new RangeError('no');
  }, exceptions);
  const answer = await handle(async () => lastValueFrom((await proxy()) as Observable<unknown>));
  expect(answer).toBeInstanceOf(RangeError);
  await pause();
  expect(rig.tracing.spans().at(-1)?.attributes['error.type']).toBe('RangeError');
});

test('outside of a message the framework gets its own results', async () => {
  const stream = of(1);
  const proxy = new RpcProxy().create(() => stream, { handle: () => 'handled' });
  const unpatched = originals.create.call(new RpcProxy(), async () => 'value', exceptions);
  expect(Object.keys((await proxy()) as object)).toEqual(['source', 'operator']);
  expect(await unpatched()).toBe('value');
  expect(rig.tracing.spans()).toEqual([]);
});

test('replies are waited for, the last one too', async () => {
  let answer: (value?: unknown) => void = () => {};
  const packets: unknown[] = [];
  await handle(async () => {
    Server.prototype.send(of('a'), (packet) => {
      packets.push(packet);
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
  });
  await pause();
  expect([packets, rig.tracing.openSpans]).toEqual([[{ response: 'a', isDisposed: true }], 1]);
  answer();
  await pause();
  expect(rig.tracing.openSpans).toBe(0);
});
