/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

// A NestJS microservice that tells customers of their orders; in JavaScript without a compiler, hence without decorators.
require('reflect-metadata');
const { request } = require('node:http');
const { NestFactory } = require('@nestjs/core');
const { Controller, Module } = require('@nestjs/common');
const { Ctx, EventPattern, Payload, Transport } = require('@nestjs/microservices');
const { from, tap, timer, mergeMap } = require('rxjs');

const { RABBITMQ_URL, ORDERS_QUEUE } = process.env;

class Mails {
  /** An Observable, as many handlers of NestJS are: it goes on after the method has returned. */
  ordered({ callback }, context) {
    return timer(20).pipe(
      mergeMap(() => from(get(callback))),
      tap(() => context.getChannelRef().ack(context.getMessage())),
    );
  }
}
Payload()(Mails.prototype, 'ordered', 0);
Ctx()(Mails.prototype, 'ordered', 1);
EventPattern('ordered')(Mails.prototype, 'ordered', Object.getOwnPropertyDescriptor(Mails.prototype, 'ordered'));
Controller()(Mails);

class Mailer {}
Module({ controllers: [Mails] })(Mailer);

async function main() {
  const app = await NestFactory.createMicroservice(Mailer, {
    transport: Transport.RMQ,
    options: {
      urls: [RABBITMQ_URL],
      queue: ORDERS_QUEUE,
      noAck: false,
      queueOptions: { durable: true, expires: 60_000 },
      socketOptions: { reconnectTimeInSeconds: 0.2 },
    },
    logger: false,
  });
  await app.listen();
  console.log(JSON.stringify({ ready: true }));
  process.once('SIGTERM', () => app.close());
}

function get(url) {
  return new Promise((resolve, reject) => {
    request(url, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end();
  });
}

main();
