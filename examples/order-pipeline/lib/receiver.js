/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { createServer } = require('node:http');
const { buffer } = require('node:stream/consumers');
const { gunzipSync } = require('node:zlib');
const { spansOf } = require('./otlp.js');

/**
 * A small OTLP receiver (http/json) on a free port: keeps the spans, counts the metric points, and hands every request
 * on as it came to `forwardTo(path)`, an address or nothing.
 */
async function startReceiver({ forwardTo = () => undefined, forwardHeaders = {}, log = () => {} } = {}) {
  const spans = [];
  const forwards = new Set();
  let complained = false;

  const forward = async (path, headers, body) => {
    const target = forwardTo(path);
    if (!target) return;
    try {
      const kept = Object.fromEntries(
        ['content-type', 'content-encoding'].filter((name) => headers[name]).map((name) => [name, headers[name]]),
      );
      const answer = await fetch(target, { method: 'POST', body, headers: { ...kept, ...forwardHeaders } });
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`answered ${answer.status}`);
    } catch (error) {
      if (!complained) log(`could not hand spans on to ${target}: ${error.cause?.message ?? error.message}`);
      complained = true;
    }
  };

  const server = createServer(async (request, response) => {
    try {
      const body = await buffer(request);
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      if (request.url === '/v1/traces') spans.push(...spansOf(JSON.parse(text.toString())));
      const forwarded = forward(request.url, request.headers, body).finally(() => forwards.delete(forwarded));
      forwards.add(forwarded);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    } catch (error) {
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ message: error.message }));
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));

  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    /** Everything received since the last call. */
    take: () => spans.splice(0),
    stop: async () => {
      await Promise.race([Promise.all(forwards), new Promise((resolve) => setTimeout(resolve, 3_000).unref())]);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Where the standard OTEL_* variables of `env` want spans, for the receiver's `forwardTo`; undefined if nowhere. */
function forwardingFrom(env) {
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/+$/, '');
  const own = {
    '/v1/traces': env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    '/v1/metrics': env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
  };
  if (!base && !own['/v1/traces'] && !own['/v1/metrics']) return undefined;
  return {
    forwardTo: (path) => own[path] || (base ? `${base}${path}` : undefined),
    forwardHeaders: headersFrom(env.OTEL_EXPORTER_OTLP_HEADERS),
  };
}

/** `a=b,c=d` with values in percent encoding, as the specification of the variable has it. */
function headersFrom(text = '') {
  const pairs = text.split(',').map((pair) => pair.split(/=(.*)/s));
  return Object.fromEntries(
    pairs.filter(([name]) => name.trim()).map(([name, value = '']) => [name.trim(), decodeURIComponent(value.trim())]),
  );
}

module.exports = { startReceiver, forwardingFrom };
