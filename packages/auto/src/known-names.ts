/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/** The short names of this package's own instrumentations. */
export const MESSAGING_NAMES = ['sqs', 'amqp', 'kafka'] as const;

/** A short name of this package's own instrumentations. */
export type MessagingName = (typeof MESSAGING_NAMES)[number];

/**
 * Short names that `@opentelemetry/auto-instrumentations-node` understands or once understood. They stand in the same
 * variables as ours and are no mistake, whether that package is installed or not.
 * @see https://github.com/open-telemetry/opentelemetry-js-contrib/blob/auto-instrumentations-node-v0.81.2/packages/auto-instrumentations-node/README.md
 */
export const UPSTREAM_NAMES: readonly string[] = (
  'amqplib aws-lambda aws-sdk bunyan cassandra-driver connect cucumber dataloader dns express fastify fs generic-pool ' +
  'graphql grpc hapi host-metrics http ioredis kafkajs knex koa long-task lru-memoizer memcached mongodb mongoose mysql ' +
  'mysql2 nestjs-core net openai oracledb perf-hooks pg pino redis redis-4 restify router runtime-node sequelize ' +
  'socket.io tedious typeorm undici winston'
).split(' ');

/** The names in `names` that are not in `known`, each with the known name that was probably meant. */
export function unknownNames(names: Iterable<string>, known: readonly string[]): { name: string; meant?: string }[] {
  return [...names]
    .filter((name) => !known.includes(name))
    .map((name) => ({ name, meant: known.find((candidate) => isNear(name, candidate)) }));
}

// The same letters in another order, or at most two edits apart and less than half of the word.
function isNear(name: string, candidate: string): boolean {
  return letters(name) === letters(candidate) || distance(name, candidate) <= Math.min(2, (candidate.length - 1) / 2);
}

function letters(name: string): string {
  return [...name].sort().join('');
}

function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const swapOrKeep = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(swapOrKeep, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}
