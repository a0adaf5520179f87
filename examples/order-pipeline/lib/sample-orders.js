/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const CUSTOMERS = ['ada', 'grace', 'alan', 'edsger', 'barbara', 'donald', 'margaret'];
const DESTINATIONS = ['Lisbon', 'Oslo', 'Kyoto', 'Quito'];

/**
 * `count` orders, the same in every run. Every sixth goes to Atlantis, which no carrier reaches (three attempts, then
 * the dead-letter queue), and every sixth to Svalbard, where the first attempt fails.
 */
function sampleOrders(count) {
  return Array.from({ length: count }, (_, index) => ({
    id: `A-${String(index + 1).padStart(3, '0')}`,
    customer: CUSTOMERS[index % CUSTOMERS.length],
    destination: destination(index),
    items: 1 + (index % 4),
  }));
}

function destination(index) {
  if (index % 6 === 1) return 'Atlantis';
  if (index % 6 === 4) return 'Svalbard';
  return DESTINATIONS[index % DESTINATIONS.length];
}

module.exports = { sampleOrders };
