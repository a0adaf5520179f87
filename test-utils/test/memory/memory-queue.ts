/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** A message queue within one process: the smallest client that has everything the conformance suite asks for. */
export interface MemoryMessage {
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Headers per message, as SQS has attributes. */
export const MAX_HEADERS = 10;

export class MemoryQueue {
  private readonly waiting: MemoryMessage[] = [];

  constructor(readonly name: string) {}

  async send(message: MemoryMessage): Promise<{ position: number }> {
    this.accept(message);
    return { position: this.waiting.length };
  }

  async sendBatch(messages: readonly MemoryMessage[]): Promise<{ position: number }> {
    for (const message of messages) this.accept(message);
    return { position: this.waiting.length };
  }

  /** Hands the next messages to the handler, one after the other; a handler that fails has consumed its message. */
  async handle(count: number, handler: (message: MemoryMessage) => unknown): Promise<void> {
    for (let i = 0; i < count; i++) {
      const message = this.waiting.shift();
      if (message === undefined) throw new Error('the queue is empty');
      try {
        await handler(message);
      } catch {
        // the application's own business
      }
    }
  }

  private accept(message: MemoryMessage): void {
    if (typeof message.body !== 'string') throw new TypeError('a message needs a body');
    if (Object.keys(message.headers ?? {}).length > MAX_HEADERS) throw new RangeError('too many headers');
    this.waiting.push({ body: message.body, headers: { ...message.headers } });
  }
}
