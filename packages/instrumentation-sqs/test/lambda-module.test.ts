/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handlerPlace, withHandler } from '../src/lambda-module';

// That the runtime's own loading meets this is tested in child processes, in packages/auto.
describe('the place of the handler', () => {
  let root: string;

  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'otel-messaging-')));
    mkdirSync(join(root, 'src/node_modules/shared'), { recursive: true });
    for (const file of ['index.js', 'index.mjs', 'other.mjs', 'old.cjs', 'plain', 'src/deep.js']) {
      writeFileSync(join(root, file), '');
    }
    mkdirSync(join(root, 'folder'));
    writeFileSync(join(root, 'folder/index.js'), '');
  });

  afterAll(() => rmSync(root, { recursive: true }));

  const place = (handler: string | undefined, taskRoot: string | undefined = root) =>
    handlerPlace({ _HANDLER: handler, LAMBDA_TASK_ROOT: taskRoot });

  test.each([
    ['index.handler', 'index.js', ['handler']],
    ['other.handler', 'other.mjs', ['handler']],
    ['old.handler', 'old.cjs', ['handler']],
    ['plain.handler', 'plain', ['handler']],
    ['src/deep.api.orders.handler', 'src/deep.js', ['api', 'orders', 'handler']],
  ])('%s is in %s', (handler, file, path) => {
    expect(place(handler)).toEqual({ file: join(root, file), path });
  });

  test.each(['index', 'index.', '.handler', 'nowhere.handler', '../index.handler', ''])(
    '%p is none, and the runtime says so',
    (handler) => {
      expect(place(handler)).toBeUndefined();
    },
  );

  test('is that of the file itself where the folder, or the file, is a link', () => {
    symlinkSync(root, `${root}-link`);
    symlinkSync(join(root, 'src/deep.js'), join(root, 'linked.js'));
    try {
      expect(place('index.handler', `${root}-link`)?.file).toBe(join(root, 'index.js'));
      expect(place('linked.handler')?.file).toBe(join(root, 'src/deep.js'));
    } finally {
      rmSync(`${root}-link`);
    }
  });

  test('there is none outside of Lambda', () => {
    expect(place(undefined)).toBeUndefined();
    expect(handlerPlace({ _HANDLER: 'index.handler' })).toBeUndefined();
  });
});

describe('the exports of the handler’s module', () => {
  const handler = () => 'plain';
  const wrapped = () => 'wrapped';
  const warnings: string[] = [];
  const patch = (exports: unknown, ...path: string[]) =>
    withHandler(
      exports,
      path,
      () => wrapped,
      (text) => warnings.push(text),
    );

  afterEach(() => void warnings.splice(0));

  test('have it in the place of the original', () => {
    const exports = { handler, other: handler };
    expect(patch(exports, 'handler')).toBe(exports);
    expect(exports).toEqual({ handler: wrapped, other: handler });
  });

  test('have it in an export of an export', () => {
    const exports = { api: { handler } };
    expect(patch(exports, 'api', 'handler')).toBe(exports);
    expect(exports.api.handler).toBe(wrapped);
  });

  test('are replaced where they are getters or frozen, with all else as it was', () => {
    let value = 1;
    const getter = Object.defineProperties({} as { handler: unknown; live: number }, {
      handler: { get: () => handler, enumerable: true },
      live: { get: () => value, enumerable: true },
    });
    const replaced = patch(getter, 'handler') as typeof getter;
    value = 2;
    expect(replaced).not.toBe(getter);
    expect(replaced.handler).toBe(wrapped);
    expect(replaced.live).toBe(2);
    expect(patch(Object.freeze({ handler }), 'handler')).toEqual({ handler: wrapped });
  });

  test('are those of the default where a module of CommonJS was imported without names', () => {
    const exports = { default: { handler } };
    expect(patch(exports, 'handler')).toBe(exports);
    expect(exports.default.handler).toBe(wrapped);
    const getters = { default: Object.freeze({ handler }) };
    expect(patch(getters, 'handler')).toBe(getters);
    expect(getters.default).toEqual({ handler: wrapped });
    expect(patch(Object.freeze({ default: Object.freeze({ handler }) }), 'handler')).toEqual({
      default: { handler: wrapped },
    });
  });

  test('stay as they are, with a word of warning, where a frozen one is deeper', () => {
    const exports = { api: Object.freeze({ handler }) };
    expect(patch(exports, 'api', 'handler')).toBe(exports);
    expect(exports.api.handler).toBe(handler);
    expect(warnings).toHaveLength(1);
  });

  test.each([[undefined], [null], [{}], [{ handler: 'text' }], [{ api: null }], [{ default: null }]])(
    '%p stay as they are',
    (exports) => {
      expect(patch(exports, 'handler')).toBe(exports);
      expect(patch(exports, 'api', 'handler')).toBe(exports);
      expect(warnings).toEqual([]);
    },
  );
});
