/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached } from './cache';
import { type Java, suitableJava } from './java';
import { JVM, serverProperties } from './kafka-settings';
import { fetchJars } from './maven';
import type { Log } from './running-broker';
import { temporaryFolder } from './temporary-folder';
import { runTied } from './tied-process';

export const KAFKA_VERSION = '4.4.0';
const ARTIFACTS = [
  `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
  'org.slf4j:slf4j-simple:1.7.36', // without a logger Kafka says nothing, not even that it is ready
];

/** Kafka's jars and an empty formatted storage folder. */
export interface KafkaFiles {
  readonly java: Java;
  readonly jars: string;
  /** Copied for each broker, which takes three seconds less than formatting. */
  readonly emptyStorage: string;
  /** Classes as the virtual machine wants them in memory; makes the start twice as fast. */
  readonly classArchive: string;
}

/** A copy in the cache, from the artifacts that Kafka publishes for Maven. */
export async function kafkaFiles(log: Log): Promise<KafkaFiles> {
  const java = await suitableJava(log);
  const folder = await cached(`kafka-${KAFKA_VERSION}`, async (staging) => {
    log('fetching Kafka with Maven, about 43 MB (once)...');
    await fetchJars(ARTIFACTS, join(staging, 'jars'), java, log);
    await formatStorage(java, staging);
  });
  return {
    java,
    jars: join(folder, 'jars'),
    emptyStorage: join(folder, 'data'),
    classArchive: join(folder, 'classes.jsa'),
  };
}

/**
 * Makes the class archive if it is not there, by `runOnce` with one more option for the virtual machine. It is valid for
 * the exact paths of the jars, so it cannot be made before the folder has its final place.
 */
export async function prepareClassArchive(
  { classArchive }: KafkaFiles,
  runOnce: (jvmOption: string) => Promise<void>,
): Promise<void> {
  if (existsSync(classArchive)) return;
  const staging = temporaryFolder('preparing', dirname(classArchive));
  const archive = join(staging.path, 'classes.jsa');
  try {
    await runOnce(`-XX:ArchiveClassesAtExit=${archive}`);
    await rename(archive, classArchive);
  } catch {
    // Only slower without it.
  } finally {
    await staging.remove();
  }
}

async function formatStorage({ program, env }: Java, folder: string): Promise<void> {
  const properties = join(folder, 'server.properties');
  await writeFile(properties, serverProperties(folder, 0));
  const tool = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', 'dGVzdC1rYWZrYS10ZXN0MQ', '-c', properties];
  await runTied([program, ...JVM, '-cp', join(folder, 'jars/*'), ...tool], { env });
}
