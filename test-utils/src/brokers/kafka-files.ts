/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached } from './cache';
import { unpackDebianPackages } from './debian-packages';
import { type Java, suitableJava } from './java';
import { JVM, serverProperties } from './kafka-settings';
import { findProgram } from './programs';
import type { Log } from './running-broker';
import { temporaryFolder } from './temporary-folder';
import { runTied } from './tied-process';

export const KAFKA_VERSION = '4.4.0';
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies';

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
    await copyJars(java, staging, log);
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

async function copyJars(java: Java, folder: string, log: Log): Promise<void> {
  const unpacked = temporaryFolder('otel-messaging-maven');
  try {
    const maven = (await findProgram('mvn')) ?? (await unpackedMaven(unpacked.path, log));
    await fetchJars(maven, java, folder);
  } finally {
    await unpacked.remove();
  }
}

/** Maven's script, of the packages of this Debian or Ubuntu system. */
async function unpackedMaven(folder: string, log: Log): Promise<string> {
  log('there is no Maven, fetching the package of the distribution...');
  await unpackDebianPackages({ program: 'maven', family: /^lib[^ ]+-java$/ }, folder);
  return join(folder, 'usr/share/maven/bin/mvn');
}

async function fetchJars(maven: string, java: Java, folder: string): Promise<void> {
  const dependency = (group: string, artifact: string, version: string) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  // Without a logger Kafka says nothing, not even that it is ready.
  const dependencies = [
    dependency('org.apache.kafka', 'kafka_2.13', KAFKA_VERSION),
    dependency('org.slf4j', 'slf4j-simple', '1.7.36'),
  ];
  const pom = join(folder, 'pom.xml');
  await writeFile(
    pom,
    `<project><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>${dependencies.join('')}</dependencies></project>\n`,
  );
  // A repository of its own: works without a home, and leaves nothing there.
  const repository = join(folder, 'repository');
  await runTied(
    [
      ...[maven, '-q', '-B', '-ntp', '-C', '-f', pom, `-Dmaven.repo.local=${repository}`, COPY_DEPENDENCIES],
      ...['-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'jars')}`],
    ],
    {
      env: {
        ...java.env,
        MAVEN_OPTS: [process.env['MAVEN_OPTS'], '-XX:-UsePerfData', ...java.trust].filter(Boolean).join(' '),
      },
    },
  );
  await rm(repository, { recursive: true, force: true });
}

async function formatStorage({ program, env }: Java, folder: string): Promise<void> {
  const properties = join(folder, 'server.properties');
  await writeFile(properties, serverProperties(folder, 0));
  const tool = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', 'dGVzdC1rYWZrYS10ZXN0MQ', '-c', properties];
  await runTied([program, ...JVM, '-cp', join(folder, 'jars/*'), ...tool], { env });
}
