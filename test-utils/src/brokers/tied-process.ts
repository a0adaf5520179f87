/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Ends a process when its owner is gone: the owner holds the other end of descriptor 3, so that its death closes it
 * however it dies, SIGKILL included. A line on it means that the process ended first and there is nothing to do.
 * `exec` gives the program the shell's own pid, so no second process stands between the program and its owner.
 */
const TIED = '(read -r _ <&3 || kill -9 $$) >/dev/null 2>&1 & exec "$@" 3<&-';

const OUTPUT_LIMIT = 20_000;

export interface TiedProcessOptions {
  /** Added to the environment of this process, which is passed on without our own preload and its settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of further variables not to pass on, such as those meant for an installed broker of the same kind. */
  readonly without?: RegExp;
  readonly cwd?: string;
}

/** A program that cannot outlive this process. */
export class TiedProcess {
  /** Why it is no more: its exit code or the name of the signal. */
  readonly ended: Promise<number | string>;
  private readonly child: ChildProcess;
  private text = '';

  constructor(command: readonly string[], options: TiedProcessOptions = {}) {
    this.child = spawn('sh', ['-c', TIED, 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...inherited(options.without), ...options.env },
      // A process group of its own: Ctrl-C in a terminal reaches the owner only, which then stops its brokers in order.
      detached: true,
    });
    const keep = (data: Buffer) => {
      this.text = (this.text + data).slice(-OUTPUT_LIMIT);
    };
    this.child.stdout!.on('data', keep);
    this.child.stderr!.on('data', keep);
    const tie = this.child.stdio[3] as Socket;
    tie.on('error', () => {}); // the guard left before its line was written
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) => {
        tie.end('ended\n');
        resolve(code ?? signal ?? 'unknown');
      });
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The end of what it printed on both streams. */
  get output(): string {
    return this.text;
  }

  /**
   * The match of `line` in the output, as soon as there is one; from then on the process does not keep its owner alive.
   * If it ends first or `timeoutMs` pass, it is ended and the promise rejects with the output.
   */
  async ready(line: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    let stopWaiting = () => {};
    try {
      const match = await new Promise<RegExpExecArray>((resolve, reject) => {
        const look = () => {
          const found = line.exec(this.text);
          if (found) resolve(found);
        };
        const timer = setTimeout(() => reject(this.failure(`is not ready after ${timeoutMs} ms`)), timeoutMs);
        this.child.stdout!.on('data', look);
        this.child.stderr!.on('data', look);
        this.ended.then((reason) => reject(this.failure(`ended (${reason})`)));
        stopWaiting = () => {
          clearTimeout(timer);
          this.child.stdout!.off('data', look);
          this.child.stderr!.off('data', look);
        };
      });
      this.keepOwnerAlive('unref');
      return match;
    } catch (error) {
      await this.end('SIGKILL');
      throw error;
    } finally {
      stopWaiting();
    }
  }

  /** Sends the signal and waits until the process is gone; SIGKILL follows after ten seconds. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.keepOwnerAlive('ref');
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await this.ended;
    clearTimeout(timer);
  }

  private failure(what: string): Error {
    return new Error(`${this.child.spawnargs[4]} ${what}:\n${this.text}`);
  }

  private keepOwnerAlive(ref: 'ref' | 'unref'): void {
    this.child[ref]();
    for (const stream of this.child.stdio) (stream as Socket | null)?.[ref]();
  }
}

/** What a program printed; rejects with it unless the program exits with 0. Ends with this process, like everything here. */
export async function runTied(command: readonly string[], options: TiedProcessOptions = {}): Promise<string> {
  const program = new TiedProcess(command, options);
  const reason = await program.ended;
  if (reason !== 0) throw new Error(`${command[0]} ended (${reason}):\n${program.output}`);
  return program.output;
}

function inherited(without?: RegExp): NodeJS.ProcessEnv {
  const kept = (name: string) => name !== 'NODE_OPTIONS' && !name.startsWith('OTEL_') && !without?.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => kept(name)));
}
