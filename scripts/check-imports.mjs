/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

// Imports run one way: auto → instrumentation-* → messaging-common → OpenTelemetry. No cycles within a package either,
// except those that types alone make, which are gone when the program runs. Names of attributes, metrics and events
// stand in `semconv.ts` alone, those of older conventions in files called `legacy.ts`. And what `otel.ts` holds of the API
// is taken from there: the API's own exports are slow.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const COMMON = '@otel-messaging/messaging-common';
const CLIENTS = ['sqs', 'amqp', 'kafka'].map((client) => `@otel-messaging/instrumentation-${client}`);

/** What each folder's sources may import of ours. */
const ALLOWED = {
  'packages/messaging-common': [],
  'packages/instrumentation-sqs': [COMMON],
  'packages/instrumentation-amqp': [COMMON],
  'packages/instrumentation-kafka': [COMMON],
  'packages/auto': [...CLIENTS],
  'test-utils': [],
};
/** Instrumented clients: their types only. */
const INSTRUMENTED =
  /^(amqplib|amqp-connection-manager|rascal|kafkajs|@confluentinc\/|node-rdkafka|@platformatic\/|@aws-sdk\/|@smithy\/|sqs-consumer|@nestjs\/|rxjs)/;
/** The name of an attribute, a metric or an event, as a text. */
const CONVENTION =
  /(['"`])((?:messaging|kafka|rabbitmq|aws|rpc|cloud|server|network|net|url|error|exception|otel)\.[a-z_.$]+)/g;
const COMMENTS = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;

/** What `otel.ts` holds of the API. */
const HELD = readFileSync(join(root, 'packages/messaging-common/src/otel.ts'), 'utf8')
  .match(/(?<=^export const \{)[^}]*/gm)
  .flatMap((names) => names.match(/\w+/g));

const problems = [];
for (const [folder, allowed] of Object.entries(ALLOWED)) {
  const graph = new Map();
  for (const file of sources(join(root, folder, 'src'))) {
    const targets = [];
    const where = relative(root, file);
    const text = readFileSync(file, 'utf8');
    if (folder.startsWith('packages/') && !/\/(semconv|legacy)\.ts$/.test(file)) {
      for (const [, , name] of text.replace(COMMENTS, '').matchAll(CONVENTION)) {
        problems.push(`${where}: names of conventions belong into semconv.ts: ${name}`);
      }
    }
    for (const { specifier, isType, names } of imports(text)) {
      if (specifier.startsWith('.')) {
        if (!isType) targets.push(locate(dirname(file), specifier));
      } else if (specifier.startsWith('@otel-messaging/') && !allowed.some((name) => specifier === name)) {
        problems.push(`${where}: must not import ${specifier}`);
      } else if (INSTRUMENTED.test(specifier) && !isType && folder !== 'test-utils') {
        problems.push(`${where}: imports the client ${specifier} at run time; use 'import type'`);
      } else if (specifier === '@opentelemetry/api' && folder === 'packages/messaging-common' && !isType) {
        for (const name of HELD) if (names.includes(name)) problems.push(`${where}: take ${name} from otel.ts`);
      } else if (specifier.includes('/incubating')) {
        problems.push(`${where}: unstable names are copied into semconv.ts, not imported`);
      }
    }
    graph.set(file, targets);
  }
  for (const cycle of cycles(graph)) problems.push(`cycle: ${cycle.map((file) => relative(root, file)).join(' → ')}`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name.endsWith('.ts')) yield join(entry.parentPath, entry.name);
  }
}

function* imports(text) {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?([^;'"]*?)from\s+['"]([^'"]+)['"]/gm);
  for (const [, type, clause, specifier] of statements) {
    const names = clause.replace(/\btype\s+\w+/g, '').match(/\w+/g) ?? [];
    yield { specifier, isType: type !== undefined, names };
  }
  for (const [, specifier] of text.matchAll(/(?<!type )\brequire\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    yield { specifier, isType: false, names: [] };
  }
}

function locate(folder, specifier) {
  const path = resolve(folder, specifier);
  return readable(`${path}.ts`) ? `${path}.ts` : join(path, 'index.ts');
}

function readable(path) {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

function cycles(graph) {
  const found = [];
  const done = new Set();
  const visit = (file, path) => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file]);
      return;
    }
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
