/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { parseArgs } from 'node:util';

export const USAGE = `npm run bench -- [options]

  --client amqp,amqp-manager,kafka,confluent,sqs,sns,sqs-consumer,lambda   only these clients
  --op send,consume-10,...  only these operations
  --mode no-sdk,off,on,metrics
  --contestant none,hand-written,upstream,ours
  --node24                  also on Node 24, fetched into the cache if it is not there (it is used whenever it is there)
  --no-node24               only on the Node that runs this
  --quick                   one short round on the Node that runs this, under two minutes
  --minutes 15              begin no round that would end later
  --rounds n                at most so many rounds
  --no-retained             leave out the bytes kept per message
  --json FILE               write every slice and every shape
  --strict                  fail when a budget is missed, too
  --update                  write the tables into bench/README.md`;

/** The command line as settings; ends the process with the usage text on a wrong one. */
export function readOptions(args) {
  const { values } = parse(args);
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const quick = values.quick ?? false;
  return {
    clients: list(values.client),
    operations: list(values.op),
    modes: list(values.mode),
    contestants: list(values.contestant),
    node24: values['no-node24'] || quick ? 'never' : values.node24 ? 'fetch' : 'if-present',
    quick,
    minutes: Number(values.minutes ?? 15),
    rounds: Number(values.rounds ?? (quick ? 1 : 20)),
    retained: !(values['no-retained'] ?? false),
    json: values.json,
    strict: values.strict ?? false,
    update: values.update ?? false,
    timing: quick ? { sliceMs: 15, slices: 3, warmMs: 100 } : { sliceMs: 30, slices: 5, warmMs: 300 },
  };
}

function parse(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean' };
  try {
    return parseArgs({
      args,
      options: {
        client: text,
        op: text,
        mode: text,
        contestant: text,
        node24: flag,
        'no-node24': flag,
        quick: flag,
        minutes: text,
        rounds: text,
        'no-retained': flag,
        json: text,
        strict: flag,
        update: flag,
        help: flag,
      },
    });
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const list = (value) => value?.split(',').map((entry) => entry.trim());
