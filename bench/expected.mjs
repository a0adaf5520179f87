/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

const kafkaBatch = (size) => ({
  ours: {
    spans: [`create orders PRODUCER < ambient x${size}`, `send orders CLIENT < ambient > create orders x${size}`],
    carriers: [`create orders x${size}`],
  },
  upstream: { spans: [`send orders PRODUCER < ambient x${size}`], carriers: [`send orders x${size}`] },
});

const kafkaEachBatch = (size) => ({
  ours: {
    spans: [
      `process orders CONSUMER < incoming > incoming, process orders x${size}`,
      `process orders CONSUMER < none > incoming x${size}`,
    ],
    handlers: [`process orders x${size}`],
  },
  upstream: {
    spans: ['poll orders CLIENT < none', `process orders CONSUMER < poll orders > incoming x${size}`],
    handlers: [`poll orders x${size}`],
  },
});

const amqpConsume = {
  ours: {
    spans: ['consume orders:order.created:order-mail CONSUMER < incoming > incoming'],
    handlers: ['consume orders:order.created:order-mail'],
  },
  upstream: { spans: ['order-mail process CONSUMER < incoming'], handlers: ['order-mail process'] },
};

/**
 * What one call leaves behind when everything is sampled: `name KIND < parent > links`, the spans whose contexts are on the wire,
 * and the span that is active in each handler. `ambient` is the application's own span, `incoming` a message's creation context.
 * The hand-written code is held to the same as ours.
 */
export const EXPECTED = {
  amqp: {
    send: {
      ours: { spans: ['publish orders:order.created PRODUCER < ambient'], carriers: ['publish orders:order.created'] },
      upstream: { spans: ['publish orders PRODUCER < ambient'], carriers: ['publish orders'] },
    },
    'send-confirmed': {
      ours: { spans: ['publish orders:order.created PRODUCER < ambient'], carriers: ['publish orders:order.created'] },
      upstream: { spans: ['publish orders PRODUCER < ambient'], carriers: ['publish orders'] },
    },
    consume: amqpConsume,
    'consume-sync': amqpConsume,
    'consume-ack-first': amqpConsume,
    'consume-reply': {
      ours: {
        spans: [
          'consume orders:order.created:order-mail CONSUMER < incoming > incoming',
          'publish PRODUCER < consume orders:order.created:order-mail',
        ],
        carriers: ['publish'],
        handlers: ['consume orders:order.created:order-mail'],
      },
      upstream: {
        spans: ['order-mail process CONSUMER < incoming', 'publish <default> PRODUCER < order-mail process'],
        carriers: ['publish <default>'],
        handlers: ['order-mail process'],
      },
    },
    get: {
      ours: { spans: ['get orders:order.created:order-mail CLIENT < ambient > incoming'] },
      upstream: { spans: [] },
    },
  },
  'amqp-manager': {
    publish: {
      ours: { spans: ['publish orders:order.created PRODUCER < ambient'], carriers: ['publish orders:order.created'] },
      upstream: { spans: ['publish orders PRODUCER < ambient'], carriers: ['publish orders'] },
    },
  },
  kafka: {
    send: {
      ours: { spans: ['send orders PRODUCER < ambient'], carriers: ['send orders'] },
      upstream: { spans: ['send orders PRODUCER < ambient'], carriers: ['send orders'] },
    },
    'send-10': kafkaBatch(10),
    'send-100': kafkaBatch(100),
    consume: {
      ours: { spans: ['process orders CONSUMER < incoming > incoming'], handlers: ['process orders'] },
      upstream: { spans: ['process orders CONSUMER < incoming'], handlers: ['process orders'] },
    },
    'consume-10': kafkaEachBatch(10),
    'consume-100': kafkaEachBatch(100),
    'consume-10-index': kafkaEachBatch(10),
    'transaction-10': {
      ours: { spans: ['send orders PRODUCER < ambient x10'], carriers: ['send orders x10'] },
      upstream: {
        spans: ['send orders PRODUCER < transaction x10', 'transaction INTERNAL < ambient'],
        carriers: ['send orders x10'],
      },
    },
  },
  confluent: {
    send: { ours: { spans: ['send orders PRODUCER < ambient'], carriers: ['send orders'] } },
    produce: { ours: { spans: ['send orders PRODUCER < ambient'], carriers: ['send orders'] } },
    consume: {
      ours: { spans: ['process orders CONSUMER < incoming > incoming'], handlers: ['process orders'] },
    },
    'consume-data': {
      ours: { spans: ['process orders CONSUMER < incoming > incoming'], handlers: ['process orders'] },
    },
  },
  sqs: {
    send: {
      ours: { spans: ['send orders PRODUCER < ambient'], carriers: ['send orders'] },
      upstream: { spans: ['orders send PRODUCER < ambient'], carriers: ['orders send'] },
    },
    'send-10': {
      ours: {
        spans: ['create orders PRODUCER < ambient x10', 'send orders CLIENT < ambient > create orders x10'],
        carriers: ['create orders x10'],
      },
      upstream: { spans: ['orders send PRODUCER < ambient'], carriers: ['orders send x10'] },
    },
    consume: {
      ours: {
        spans: [
          'process orders CONSUMER < incoming > incoming, receive orders',
          'receive orders CLIENT < none > incoming',
        ],
        handlers: ['process orders'],
      },
      upstream: { spans: ['orders receive CONSUMER < none > incoming'], handlers: ['none'] },
    },
    'consume-10': {
      ours: {
        spans: [
          'process orders CONSUMER < incoming > incoming, receive orders x10',
          'receive orders CLIENT < none > incoming x10',
        ],
        handlers: ['process orders x10'],
      },
      upstream: { spans: ['orders receive CONSUMER < none > incoming x10'], handlers: ['none x10'] },
    },
    'consume-index': {
      ours: {
        spans: [
          'delete orders CLIENT < process orders > incoming',
          'process orders CONSUMER < incoming > incoming, receive orders',
          'receive orders CLIENT < none > incoming',
        ],
        handlers: ['process orders'],
      },
      upstream: {
        spans: ['SQS.DeleteMessage CLIENT < none', 'orders receive CONSUMER < none > incoming'],
        handlers: ['none'],
      },
    },
    'consume-postpone': {
      ours: {
        spans: [
          'process orders CONSUMER < incoming > incoming, receive orders',
          'receive orders CLIENT < none > incoming',
        ],
        handlers: ['process orders'],
      },
      upstream: {
        spans: ['SQS.ChangeMessageVisibility CLIENT < none', 'orders receive CONSUMER < none > incoming'],
        handlers: ['none'],
      },
    },
    delete: {
      ours: { spans: ['delete orders CLIENT < ambient'] },
      upstream: { spans: ['SQS.DeleteMessage CLIENT < ambient'] },
    },
  },
  sns: {
    publish: {
      ours: { spans: ['publish orders PRODUCER < ambient'], carriers: ['publish orders'] },
      upstream: { spans: ['orders send PRODUCER < ambient'], carriers: ['orders send'] },
    },
    'publish-10': {
      ours: {
        spans: ['create orders PRODUCER < ambient x10', 'publish orders CLIENT < ambient > create orders x10'],
        carriers: ['create orders x10'],
      },
      upstream: { spans: ['SNS PublishBatch CLIENT < ambient'] }, // carries nothing
    },
  },
  'sqs-consumer': {
    consume: {
      ours: {
        spans: [
          'process orders CONSUMER < incoming > incoming, receive orders',
          'receive orders CLIENT < none > incoming',
        ],
        handlers: ['process orders'],
      },
      upstream: { spans: ['orders receive CONSUMER < none > incoming'], handlers: ['none'] },
    },
  },
  lambda: {
    'consume-10': {
      ours: {
        spans: [
          'process orders CONSUMER < incoming > incoming, process orders x10',
          'process orders CONSUMER < none > incoming x10',
        ],
        handlers: ['process orders x10'],
      },
    },
  },
};
