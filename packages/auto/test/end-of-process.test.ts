/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { join } from 'node:path';
import { eventually } from '@otel-messaging/test-utils';

import { killApplications, runApplication, startApplication } from './application';
import { type Collector, startCollector } from './collector';

const REGISTER = '@otel-messaging/auto/register';

let collector: Collector;

beforeEach(async () => {
  collector = await startCollector();
});

afterEach(async () => {
  killApplications();
  await collector.close();
});

/** Starts the service, signals it once it has served its first request, and waits for its end. */
async function end(behaviour: string, signal: NodeJS.Signals, env: Record<string, string> = {}) {
  const service = startApplication('service.cjs', {
    args: [behaviour],
    env: { ...collector.env, SIGNAL: signal, ...env },
  });
  await service.printed('ready');
  service.kill(signal);
  return service.end;
}

/** A signal has come, and what is waiting is on its way to a collector that does not answer. */
const exporting = () => eventually('the export', () => collector.requests > 0);

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('ends the process by the signal, after everything was exported', async () => {
    expect(await end('nothing', signal)).toMatchObject({ code: null, signal, stderr: '' });
    expect(collector.spans).toHaveLength(2);
  });

  test('with a listener that exits at once, it does, and what had ended before arrives', async () => {
    expect(await end('exit at once', signal)).toMatchObject({ code: 7, signal: null, stderr: '' });
    expect(collector.spans).toHaveLength(2);
  });

  test('with a listener that exits at once, it waits half a second for a collector and no longer', async () => {
    collector.hang();
    const service = startApplication('service.cjs', {
      args: ['exit at once'],
      env: { ...collector.env, SIGNAL: signal },
    });
    await service.printed('ready');
    const before = Date.now();
    service.kill(signal);
    expect(await service.end).toMatchObject({ code: 7, signal: null });
    const tookMs = Date.now() - before;
    expect(tookMs).toBeGreaterThanOrEqual(490);
    expect(tookMs).toBeLessThan(1500);
  });

  test('with a listener that throws, ends the process by that error as ever', async () => {
    const { code, stderr } = await end('throw', signal);
    expect(code).toBe(1);
    expect(stderr).toContain('Error: thrown by a listener');
    expect(stderr).not.toContain('rejection');
  });

  test('with a listener that cleans up and exits, the spans of the clean-up arrive too', async () => {
    expect(await end('clean up, then exit', signal)).toMatchObject({ code: 8, signal: null });
    expect(collector.spans).toHaveLength(4);
  });

  test('with a listener that lets the process end, it ends with its code and everything exported', async () => {
    expect(await end('close and let the process end', signal)).toMatchObject({ code: 9, signal: null, stderr: '' });
    expect(collector.spans).toHaveLength(4);
  });

  test('is ignored for as long as the application ignores it, and the application hears it once', async () => {
    const service = startApplication('service.cjs', { args: ['ignore'], env: { ...collector.env, SIGNAL: signal } });
    await service.printed('ready');
    service.kill(signal);
    await service.printed('ignored 1, listeners 1');
    await wait(500);
    service.kill(signal);
    await service.printed('ignored 2, listeners 1');
    service.kill('SIGKILL');
    expect((await service.end).stdout).not.toContain('ignored 3');
    expect(collector.spans).toHaveLength(2);
  });

  test('the second time is delivered at once', async () => {
    collector.hang();
    const service = startApplication('service.cjs', { args: ['ignore'], env: { ...collector.env, SIGNAL: signal } });
    await service.printed('ready');
    service.kill(signal);
    await exporting();
    service.kill(signal);
    await service.printed('ignored 2');
    const before = Date.now();
    service.kill(signal);
    await service.printed('ignored 3');
    expect(Date.now() - before).toBeLessThan(300);
  });

  test('raised again by a listener that has cleaned up, ends the process by the signal', async () => {
    expect(await end('clean up, then raise again', signal)).toMatchObject({ code: null, signal });
    expect(collector.spans).toHaveLength(4);
  });

  test('is decided by a listener that acts only if it is the last one', async () => {
    expect(await end('exit if nobody else listens', signal)).toMatchObject({ code: 10, signal: null });
    expect(collector.spans).toHaveLength(2);
  });

  test('ends a process with signal-exit by the signal', async () => {
    const { stdout, ...rest } = await end('use signal-exit', signal);
    expect(rest).toMatchObject({ code: null, signal });
    expect(stdout).toContain(`signal-exit saw null ${signal}`);
    expect(collector.spans).toHaveLength(2);
  });

  test.each(['nothing', 'use signal-exit'])('the second time ends the process at once (%s)', async (behaviour) => {
    collector.hang();
    const service = startApplication('service.cjs', { args: [behaviour], env: collector.env });
    await service.printed('ready');
    service.kill(signal);
    await exporting();
    const before = Date.now();
    service.kill(signal);
    expect(await service.end).toMatchObject({ code: null, signal });
    expect(Date.now() - before).toBeLessThan(1500);
  });

  test('does not wait longer than OTEL_MESSAGING_FLUSH_TIMEOUT for a collector', async () => {
    collector.hang();
    const result = await end('nothing', signal, { OTEL_MESSAGING_FLUSH_TIMEOUT: '300' });
    expect(result).toMatchObject({ code: null, signal });
    expect(result.stderr).toContain('gave up exporting after 300 ms');
  });
});

test('a different signal during the export ends the process by that one', async () => {
  collector.hang();
  const service = startApplication('service.cjs', { env: collector.env });
  await service.printed('ready');
  service.kill('SIGINT');
  await exporting();
  service.kill('SIGTERM');
  expect(await service.end).toMatchObject({ code: null, signal: 'SIGTERM' });
});

test('a listener from before the preload decides as well', async () => {
  const node = ['--require', join(__dirname, 'fixtures/earlier-listener.cjs'), '--require', REGISTER];
  const service = startApplication('service.cjs', { node, env: collector.env });
  await service.printed('ready');
  service.kill('SIGTERM');
  expect(await service.end).toMatchObject({ code: 11, signal: null });
});

test('OTEL_MESSAGING_FLUSH_TIMEOUT=0 adds no listener to the process', async () => {
  const { stdout } = await runApplication('traces-left.cjs', {
    env: { ...collector.env, OTEL_MESSAGING_FLUSH_TIMEOUT: '0' },
  });
  expect(JSON.parse(stdout).listeners.join()).not.toMatch(/SIG|beforeExit/);
});

test('a natural end does not wait longer than the limit for a collector', async () => {
  collector.hang();
  const env = { ...collector.env, OTEL_MESSAGING_FLUSH_TIMEOUT: '300' };
  const application = startApplication('one-request.cjs', { env });
  await application.printed('done');
  const before = Date.now();
  expect(await application.end).toMatchObject({ code: 0, stdout: 'done\n' });
  expect(Date.now() - before).toBeLessThan(4000); // five seconds are the default
});

test('a natural end exports metrics too, and ends', async () => {
  const env = { ...collector.env, OTEL_METRICS_EXPORTER: 'otlp', OTEL_LOGS_EXPORTER: 'otlp' };
  expect(await runApplication('one-request.mjs', { env })).toMatchObject({ code: 0, stderr: '' });
  expect(collector.spans).toHaveLength(2);
});
