/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** The id of a client's cluster, which comes with the first list of brokers that the client asks for; from then on the same. */
export class ClusterId {
  private known: string | undefined;

  /** @param read what the client has of it at the moment; may throw */
  constructor(private readonly read: () => unknown) {}

  /** Undefined until the client knows it. */
  get(): string | undefined {
    this.known ??= this.find();
    return this.known;
  }

  private find(): string | undefined {
    try {
      const id = this.read();
      return typeof id === 'string' && id !== '' ? id : undefined;
    } catch {
      return undefined; // a client of another shape
    }
  }
}
