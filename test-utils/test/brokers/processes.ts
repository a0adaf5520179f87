/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { execFileSync } from 'node:child_process';

/** Of every process that runs now: its parent and its command line. One that has ended and waits for its parent is not there. */
function running(): Map<number, { readonly parent: number; readonly command: string }> {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  const rows = [...table.matchAll(/^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/gm)];
  return new Map(
    rows
      .filter(([, , , state]) => !state!.startsWith('Z'))
      .map(([, pid, parent, , command]) => [Number(pid), { parent: Number(parent), command: command! }]),
  );
}

/** All processes below `root`, by pid. */
export function descendants(root: number): Map<number, string> {
  const all = running();
  const found = new Map<number, string>();
  const visit = (parent: number) => {
    for (const [pid, one] of all) {
      if (one.parent !== parent) continue;
      found.set(pid, one.command);
      visit(pid);
    }
  };
  visit(root);
  return found;
}

/** Waits until none of `pids` runs any more; after `timeoutMs` returns the command lines of those that do. */
export async function survivors(pids: Iterable<number>, timeoutMs: number): Promise<string[]> {
  const wanted = [...pids];
  const end = Date.now() + timeoutMs;
  for (;;) {
    const all = running();
    const left = wanted.filter((pid) => all.has(pid));
    if (left.length === 0 || Date.now() > end) return left.map((pid) => `${pid} ${all.get(pid)!.command}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
