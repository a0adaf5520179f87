/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache';
import { systemName, unpackDebianPackages, unpackedLibraries } from './debian-packages';
import { trustStore } from './java-trust-store';
import { findProgram } from './programs';
import { type Log, Unavailable } from './running-broker';
import { runTied } from './tied-process';

const OLDEST_JAVA = 17;
/** Debian 11 and 12 and Ubuntu have the first, Debian 13 has the second. */
const PACKAGES = ['openjdk-17-jre-headless', 'openjdk-21-jre-headless'];

/** A Java that can run Kafka. */
export interface Java {
  readonly program: string;
  /** What it, and Maven with it, need in their environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Options with which it trusts the certificates that Node trusts. */
  readonly trust: readonly string[];
}

/** The Java that is installed if it is new enough, else a copy in the cache, from the packages of this Debian or Ubuntu system. */
export async function suitableJava(log: Log): Promise<Java> {
  const home = process.env['JAVA_HOME'];
  const installed = [home ? await findProgram('java', [join(home, 'bin')]) : undefined, await findProgram('java')];
  let lacking = 'no Java';
  for (const program of installed) {
    if (!program) continue;
    const version = await majorVersion(program);
    if (version >= OLDEST_JAVA) return { program, env: {}, trust: [] };
    if (version > 0) lacking = `Java ${version} is too old, ${OLDEST_JAVA} is needed`;
  }
  try {
    return await unpackedJava(log);
  } catch (error) {
    if (error instanceof Unavailable) throw new Unavailable(`${lacking}, and ${error.message}`);
    throw error;
  }
}

/** 0 for a program that does not tell, such as the placeholder of macOS. */
async function majorVersion(program: string): Promise<number> {
  const answer = await runTied([program, '-XX:-UsePerfData', '-version']).catch(() => '');
  return Number(/version "(?:1\.)?(\d+)/.exec(answer)?.[1] ?? 0);
}

async function unpackedJava(log: Log): Promise<Java> {
  const folder = await cached(`java-${await systemName()}`, async (staging) => {
    log('there is no suitable Java, fetching the package of the distribution, about 44 MB (once)...');
    await unpackFirst(PACKAGES, staging);
    await writeFile(join(staging, 'trust.jks'), trustStore());
  });
  const machines = join(folder, 'usr/lib/jvm');
  const name = (await readdir(machines)).find((name) => existsSync(join(machines, name, 'bin/java')));
  const home = join(machines, name!);
  return {
    program: join(home, 'bin/java'),
    env: { JAVA_HOME: home, LD_LIBRARY_PATH: await unpackedLibraries(folder) },
    trust: [`-Djavax.net.ssl.trustStore=${join(folder, 'trust.jks')}`],
  };
}

/** Unpacks the first that can be had; rejects with why the best one cannot. */
async function unpackFirst([program, ...others]: readonly string[], folder: string): Promise<void> {
  try {
    await unpackDebianPackages({ program: program! }, folder);
  } catch (error) {
    if (error instanceof Unavailable || others.length === 0) throw error;
    await unpackFirst(others, folder).catch(() => {
      throw error;
    });
  }
}
