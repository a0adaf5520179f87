/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { enterUnbound } from './active-context';
import { AwaitedContext } from './awaited-context';
import { settled } from './context';
import { contexts } from './otel';
import { mayLook, Surroundings } from './surroundings';

/**
 * Makes a context active that the next message's takes the place of, for a generator and whoever waits for its next value:
 * the context of that `await` is fixed before the message is known. Only where the one who waits is alone in this turn, and
 * does not read ahead as streams do: anybody else who goes on from here would do so in the message's context. Never throws.
 */
export function awaitNext(around: Surroundings | undefined): void {
  if (!around?.isGenerator) return;
  try {
    const active = contexts().active();
    if (active instanceof AwaitedContext) active.close(); // what goes on in it is none of this generator's
    if (around.isAlone && around.isDrivenByApplication) {
      enterUnbound(new AwaitedContext(settled(active), around.walker));
    }
  } catch {
    // Of a context manager: then nothing is made active.
  }
}

/**
 * The same at a call that brings messages, which a generator may walk. An application either polls in generators or does not:
 * where none was found for long, only some of its polls are looked at, until there is one.
 */
export function awaitMessages(): void {
  if ((fruitless >= PATIENCE && polls++ % RARELY !== 0) || !mayLook()) return;
  const around = Surroundings.ofGenerator(awaitMessages);
  fruitless = around === undefined ? fruitless + 1 : 0;
  awaitNext(around);
}

const PATIENCE = 50;
const RARELY = 50;
let fruitless = 0;
let polls = 0;
