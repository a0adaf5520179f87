/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// The part of Lambda's Node.js runtime that matters to instrumentations: it loads the handler by the rules of the service
// (CommonJS by `require`, ES modules by `import`) and asks the runtime interface for one event after the other. Promises,
// callbacks and streaming handlers. The program of `startRuntimeInterface`'s functions; no part of a package.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';

const require = createRequire(import.meta.url);
const URL = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

globalThis.awslambda = { streamifyResponse: (handler) => Object.assign(handler, { [STREAMING]: 'response' }) };

try {
  const handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  for (;;) await handleOne(handler);
} catch (error) {
  await call('POST', '/init/error', JSON.stringify(described(error)));
  process.exit(1);
}

async function loadHandler(root, text) {
  const name = basename(text);
  const [, module, path] = /^([^.]*)\.(.*)$/.exec(name);
  const exports = await loadModule(resolve(root, text.slice(0, text.length - name.length), module));
  const handler = path.split('.').reduce((at, key) => at?.[key], exports);
  if (typeof handler !== 'function') throw new Error(`${text} is not a function`);
  return handler;
}

async function loadModule(path) {
  if (existsSync(`${path}.js`)) return isModule(dirname(path)) ? import(`${path}.js`) : require(`${path}.js`);
  return existsSync(`${path}.mjs`) ? import(`${path}.mjs`) : require(`${path}.cjs`);
}

/** Whether the nearest package says so. */
function isModule(folder) {
  const manifest = join(folder, 'package.json');
  if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).type === 'module';
  return folder !== dirname(folder) && isModule(dirname(folder));
}

async function handleOne(handler) {
  const { headers, body } = await call('GET', '/invocation/next');
  const id = headers['lambda-runtime-aws-request-id'];
  const context = {
    awsRequestId: id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    getRemainingTimeInMillis: () => Number(headers['lambda-runtime-deadline-ms']) - Date.now(),
  };
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  try {
    if (handler[STREAMING] === 'response') await stream(handler, JSON.parse(body), context, id);
    else await answer(id, await resultOf(handler, JSON.parse(body), context));
  } catch (error) {
    await call('POST', `/invocation/${id}/error`, JSON.stringify(described(error)));
  }
}

/** What a handler answers: by its promise, by its callback, or with nothing once the event loop is empty. */
function resultOf(handler, event, context) {
  return new Promise((resolve, reject) => {
    const atEnd = () => resolve(undefined);
    process.once('beforeExit', atEnd);
    const callback = (error, value) => {
      process.removeListener('beforeExit', atEnd);
      if (error === undefined || error === null) resolve(value);
      else reject(error);
    };
    const result = handler(event, context, callback);
    if (typeof result?.then === 'function') result.then((value) => callback(null, value), callback);
  });
}

function answer(id, value) {
  return call('POST', `/invocation/${id}/response`, JSON.stringify(value ?? null));
}

/** By a request of Node's own, as the service's runtime does it from JavaScript; below whatever is active. */
async function stream(handler, event, context, id) {
  const { hostname, port, pathname } = new globalThis.URL(`${URL}/invocation/${id}/response`);
  const headers = { 'lambda-runtime-function-response-mode': 'streaming' };
  const request = require('node:http').request({ hostname, port, path: pathname, method: 'POST', headers });
  const done = new Promise((resolve, reject) => {
    request.on('response', (response) => response.resume().on('end', resolve));
    request.on('error', reject);
  });
  await handler(event, request, context);
  await done;
}

/** By `fetch`, which like the native code of the service's own runtime is none of what HTTP instrumentations trace. */
async function call(method, path, body, headers = {}) {
  const response = await fetch(`${URL}${path}`, { method, body, headers, duplex: 'half' });
  return { headers: Object.fromEntries(response.headers), body: await response.text() };
}

function described(error) {
  return { errorType: error?.name ?? typeof error, errorMessage: error?.message ?? String(error), trace: [] };
}
