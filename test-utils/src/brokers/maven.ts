/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackDebianPackages } from './debian-packages';
import type { Java } from './java';
import { findProgram } from './programs';
import type { Log } from './running-broker';
import { temporaryFolder } from './temporary-folder';
import { runTied } from './tied-process';

const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies';

/** Copies artifacts (`group:artifact:version`) and all that they need at run time into a folder. */
export async function fetchJars(artifacts: readonly string[], folder: string, java: Java, log: Log): Promise<void> {
  const workplace = temporaryFolder('otel-messaging-maven');
  try {
    const maven = (await findProgram('mvn')) ?? (await unpackedMaven(join(workplace.path, 'maven'), log));
    await copyJars(maven, artifacts, folder, workplace.path, java);
  } finally {
    await workplace.remove();
  }
}

/** Maven's script, of the packages of this Debian or Ubuntu system. */
async function unpackedMaven(folder: string, log: Log): Promise<string> {
  log('there is no Maven, fetching the package of the distribution...');
  await unpackDebianPackages({ program: 'maven', family: /^lib[^ ]+-java$/ }, folder);
  return join(folder, 'usr/share/maven/bin/mvn');
}

async function copyJars(
  maven: string,
  artifacts: readonly string[],
  folder: string,
  workplace: string,
  java: Java,
): Promise<void> {
  const pom = join(workplace, 'pom.xml');
  await writeFile(
    pom,
    `<project><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>test</artifactId><version>1</version>
<dependencies>${artifacts.map(dependency).join('')}</dependencies></project>\n`,
  );
  // A repository of its own: works without a home, and leaves nothing there.
  const repository = join(workplace, 'repository');
  await runTied(
    [
      ...[maven, '-q', '-B', '-ntp', '-C', '-f', pom, `-Dmaven.repo.local=${repository}`, COPY_DEPENDENCIES],
      ...['-DincludeScope=runtime', `-DoutputDirectory=${folder}`],
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

function dependency(coordinates: string): string {
  const [group, artifact, version] = coordinates.split(':');
  return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
}
