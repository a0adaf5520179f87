/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * Who walks: the stack below a step of an iterator, without what was awaited before. It tells what no argument does: whether
 * the function with the loop was called in this turn, or goes on after an `await`; whether it is a generator, and who asked
 * it for the next value; whether that is a stream.
 */
export class Surroundings {
  /** Which frame asks for the values: that of the loop, or for a generator the one that asks it. */
  private readonly driver: number;

  /** @param isComplete whether these are all frames */
  private constructor(
    private readonly frames: readonly NodeJS.CallSite[],
    private readonly isComplete: boolean,
  ) {
    let driver = 0;
    while (isStep(frames[driver + 1])) driver += 2;
    this.driver = driver;
  }

  /**
   * Looks at the stack, which takes from two to thirty microseconds; undefined where that was done too often lately.
   * @param above the function whose callers are asked for
   */
  static of(above: (...args: never[]) => unknown): Surroundings | undefined {
    const stack = mayLook() ? stackBelow(above) : undefined;
    if (stack === undefined) return undefined;
    // An iterator of the language's own may stand between the loop and ours, as in `for await`.
    const first = stack.frames.findIndex((frame) => !isStep(frame));
    const around = new Surroundings(first > 0 ? stack.frames.slice(first) : stack.frames, stack.isComplete);
    if (around.isStream) isLimited = false; // what would be wrong otherwise is worth the time
    return around;
  }

  /** The same for a call that is made in a generator, or in what the generator calls; undefined elsewhere. */
  static ofGenerator(above: (...args: never[]) => unknown): Surroundings | undefined {
    const stack = stackBelow(above);
    if (stack === undefined) return undefined;
    const step = stack.frames.findIndex(isStep);
    return step > 0 ? new Surroundings(stack.frames.slice(step - 1), stack.isComplete) : undefined;
  }

  /** Whether a stream asks for the values, ahead of whoever handles them. */
  get isStream(): boolean {
    for (let i = 0; i <= this.driver; i++) if (STREAMS.test(this.frames[i]?.getFileName() ?? '')) return true;
    return false;
  }

  /** Whether a generator walks, and gives the values to somebody else. */
  get isGenerator(): boolean {
    return this.driver > 0;
  }

  /** Whether the function that walks goes on after an `await`, and nobody called it in this turn. */
  get isResumed(): boolean {
    return this.isComplete && this.frames.length === 1;
  }

  /** Whether what is active after the step is so for the body alone, and not for a caller that the body goes back to. */
  get isAlone(): boolean {
    return this.isComplete && this.frames.length === this.driver + 1;
  }

  /** Whether the application's own code asks for the values. */
  get isDrivenByApplication(): boolean {
    const file = this.frames[this.driver]?.getFileName();
    return file !== undefined && file !== null && !FOREIGN.test(file);
  }

  /** The function that walks, to be compared. */
  get walker(): string {
    return nameOf(this.frames[0]);
  }

  /** The way to here from the bottom of the stack, to be compared with that of others. */
  get path(): Path | undefined {
    if (!this.isComplete) return undefined;
    return this.frames.slice(this.driver).map((frame) => ({
      name: nameOf(frame),
      line: frame.getLineNumber(),
      column: frame.getColumnNumber(),
    }));
  }
}

/** Frames from the top of a stack to its bottom. */
export type Path = readonly { name: string; line: number | null; column: number | null }[];

/**
 * Whether the function at the top of an earlier path has gone back to its caller: it is not on the stack any more, or called
 * anew from the same place.
 */
export function isBehind(earlier: Path, now: Path): boolean {
  const deeper = now.length - earlier.length;
  if (deeper < 0) return true;
  for (let i = 1; i < earlier.length; i++) {
    const [then, here] = [earlier[i], now[deeper + i]];
    if (then?.name !== here?.name || then?.line !== here?.line || then?.column !== here?.column) return true;
  }
  const [then, here] = [earlier[0], now[deeper]];
  if (then?.name !== here?.name) return true;
  return deeper === 0 && then?.line === here?.line && then?.column === here?.column;
}

/** As deep as handlers are below a client, a context manager and us; a stack that goes on tells nothing of callers. */
const MAX_FRAMES = 40;
/** What runs callbacks, microtasks and timers. */
const BOTTOM = /^node:internal\/(process\/|timers)/;
/** Node's own, and the copy of them that is a package. */
const STREAMS = /^node:internal\/(web)?streams\/|[\\/]node_modules[\\/]readable-stream[\\/]/;
/** Not the application's own code. */
const FOREIGN = /^node:|[\\/]node_modules[\\/]/;

function isStep(frame: NodeJS.CallSite | undefined): boolean {
  return frame?.getFunctionName() === 'next' && !frame.getFileName() && !frame.isEval();
}

/** A function by where it begins: names come twice, in bundles all the time. */
function nameOf(frame: NodeJS.CallSite | undefined): string {
  return `${frame?.getFileName()}:${frame?.getEnclosingLineNumber()}:${frame?.getEnclosingColumnNumber()}`;
}

/** Where many walks begin in a short time, looking at each would be dear: so many at once, then one in a while. */
const MAX_AT_ONCE = 100;
const ONE_IN_MS = 10;
let isLimited = true;
let allowance = MAX_AT_ONCE;
let lookedMs = 0;

/** Whether there is time for a look. */
export function mayLook(): boolean {
  if (!isLimited) return true;
  const nowMs = Date.now(); // half as long to read as the steady clock
  allowance = Math.min(MAX_AT_ONCE, allowance + Math.max(0, nowMs - lookedMs) / ONE_IN_MS);
  lookedMs = nowMs;
  if (allowance < 1) return false;
  allowance--;
  return true;
}

/** Without what was awaited before, and without what runs callbacks. */
function stackBelow(
  above: (...args: never[]) => unknown,
): { frames: NodeJS.CallSite[]; isComplete: boolean } | undefined {
  const sites = callSites(above);
  if (sites === undefined) return undefined;
  const end = sites.findIndex((site) => site.isAsync() || BOTTOM.test(site.getFileName() ?? ''));
  return end === -1
    ? { frames: sites, isComplete: sites.length < MAX_FRAMES }
    : { frames: sites.slice(0, end), isComplete: true };
}

const asTheyAre = (_: Error, sites: NodeJS.CallSite[]) => sites;

/** Others may put their own in place of V8's, with fewer methods (SES). */
function isCallSite(site: Partial<NodeJS.CallSite> | undefined): site is NodeJS.CallSite {
  return typeof site?.getEnclosingLineNumber === 'function' && typeof site.isAsync === 'function';
}

/** Undefined where the process does not let us. */
function callSites(above: (...args: never[]) => unknown): NodeJS.CallSite[] | undefined {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = MAX_FRAMES;
    Error.prepareStackTrace = asTheyAre;
    Error.captureStackTrace(holder, above);
    const { stack } = holder;
    return Array.isArray(stack) && stack.every(isCallSite) ? stack : undefined;
  } catch {
    return undefined;
  } finally {
    // By assignment: to delete what was not there would make a hash table of `Error`, slow for everybody.
    Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
