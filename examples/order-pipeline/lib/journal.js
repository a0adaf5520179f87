/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { groupBy } = require('./group-by.js');

/**
 * @typedef {object} OrderFacts what the application itself says about one order; nothing here comes from a span
 * @property {string} id
 * @property {{ sqs?: string, kafka?: string, rabbitmq?: string }} messages the messages that carried it, as `messageOf` names them
 * @property {'shipped' | 'dead-lettered' | undefined} outcome undefined while it is under way
 * @property {number | undefined} attempts how often shipping had it in hand
 * @property {{ service: string, fields: object }[]} lines what the services logged about it
 */

/** Collects what gateway and services say about the orders; `done` resolves when each has reached its last handler. */
function startJournal(orders, { ACCEPTED_TOPIC }) {
  const facts = new Map(
    orders.map(({ id }) => [id, { id, messages: {}, outcome: undefined, attempts: undefined, lines: [] }]),
  );
  let finish;
  const done = new Promise((resolve) => {
    finish = resolve;
  });

  return {
    done,
    accepted(id, messageId) {
      facts.get(id).messages.sqs = `aws.sqs/${messageId}`;
    },
    note(service, fields) {
      const { order, kafka, rabbitmq, outcome, attempts } = fields;
      const fact = facts.get(order);
      if (!fact) return;
      fact.lines.push({ service, fields });
      if (kafka) fact.messages.kafka = `kafka/${ACCEPTED_TOPIC}/${kafka}`;
      if (rabbitmq) fact.messages.rabbitmq = `rabbitmq/${rabbitmq}`;
      if (outcome) Object.assign(fact, { outcome, attempts });
      if ([...facts.values()].every((each) => each.outcome && each.messages.kafka && each.messages.rabbitmq)) finish();
    },
    /** @returns {OrderFacts[]} */
    facts: () => [...facts.values()],
    /** A sentence that says where the orders under way are. */
    underWay() {
      const waiting = [...facts.values()].filter(({ outcome }) => !outcome);
      const last = ({ messages }) => (messages.rabbitmq ? 'payments' : messages.kafka ? 'orders' : 'gateway');
      const places = groupBy(waiting, last);
      return [...places].map(([place, group]) => `${group.length} were last seen by ${place}`).join(', ');
    },
  };
}

module.exports = { startJournal };
