/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

const SHOWN = ['messaging.message.retry.count', 'messaging.message.settlement', 'messaging.batch.message_count'];

/** Spans as text, one tree for each trace, oldest first, with the names of linked spans. */
export function tracesAsText(spans) {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const ordered = [...spans].sort((a, b) => a.startMs - b.startMs);
  const below = (parent) =>
    ordered.filter(({ parentSpanId }) => (parent ? parentSpanId === parent.spanId : !byId.has(parentSpanId)));
  const lines = [];
  const write = (span, first, others) => {
    lines.push(first + line(span, byId));
    const children = below(span);
    for (const [i, child] of children.entries()) {
      const isLast = i === children.length - 1;
      write(child, others + (isLast ? '└─ ' : '├─ '), others + (isLast ? '   ' : '│  '));
    }
  };
  for (const root of below()) write(root, '', '');
  return lines.join('\n');
}

function line({ name, kind, service, attributes, links }, byId) {
  const error = attributes['error.type'] ? ` !${attributes['error.type']}` : '';
  const shown = SHOWN.filter((key) => key in attributes).map(
    (key) => `${key.split('.').slice(2).join('.')}=${attributes[key]}`,
  );
  const more = shown.length > 0 ? ` {${shown.join(', ')}}` : '';
  const linked = links.map(({ spanId }) => byId.get(spanId)?.name ?? '?');
  const arrow = linked.length > 0 ? `  → ${linked.join(', ')}` : '';
  return `${name} ${kind}${error}${more}  [${service}]${arrow}`;
}

/** What must hold, as sentences; those that do not. */
export function check(spans, { orders, calls }) {
  const of = (service, name) => spans.filter((span) => span.service === service && span.name.startsWith(name));
  const sends = of('shop', 'send orders');
  const records = of('lambda', 'process orders').filter(({ parentSpanId }) => parentSpanId);
  const batches = of('lambda', 'process orders').filter(({ parentSpanId }) => !parentSpanId);
  const invoices = of('lambda', 'send invoices');
  const tracesOf = (list) => new Set(list.map(({ traceId }) => traceId));
  const isIn = (span, parents) =>
    parents.some((parent) => parent.spanId === span.parentSpanId && parent.traceId === span.traceId);
  return {
    'one trace for each order': sends.length === orders && tracesOf(sends).size === orders,
    'one span for each call of the function, and a link in it to each message':
      batches.length === calls && batches.flatMap(({ links }) => links).length === records.length,
    'each message is handled in the trace of its order':
      records.length === orders + 1 && records.every((span) => isIn(span, sends)),
    'the message that failed is marked, and its second attempt is counted':
      records.filter(({ attributes }) => attributes['error.type'] === 'BatchItemFailure').length === 1 &&
      records.filter(({ attributes }) => attributes['messaging.message.retry.count'] === 1).length === 1,
    'each invoice is sent from within': invoices.length === orders && invoices.every((span) => isIn(span, records)),
  };
}
