/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { join } from 'node:path';
import { cached } from './cache';
import { suitableJava } from './java';
import { fetchJars } from './maven';
import { onFreePorts } from './ports';
import { findProgram } from './programs';
import { type Log, type RunningBroker, Unavailable } from './running-broker';
import { TEST_ACCOUNT } from './sqs';
import { runTied, TiedProcess } from './tied-process';

const VERSION = '1.7.1';
const ARTIFACTS = [
  `org.elasticmq:elasticmq-rest-sqs_2.13:${VERSION}`,
  'org.slf4j:slf4j-nop:2.0.17', // it says that it is ready by itself
];
const START_TIMEOUT_MS = 60_000;
const JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];

// The same folder from `src` and from `build`.
const SOURCE = join(__dirname, '..', '..', 'servers', 'ElasticMq.java');

/**
 * ElasticMQ: a server for SQS whose code has nothing in common with the one that tests run against otherwise, and so a
 * second opinion. It has no SNS. Needs a Java development kit, to compile the few lines that start it.
 */
export async function launchElasticMq(log: Log): Promise<RunningBroker> {
  const java = await suitableJava(log);
  const home = process.env['JAVA_HOME'];
  const compiler = (home && (await findProgram('javac', [join(home, 'bin')]))) || (await findProgram('javac'));
  if (compiler === undefined) throw new Unavailable('there is no javac: sudo apt-get install default-jdk-headless');
  const folder = await cached(`elasticmq-${VERSION}`, async (staging) => {
    log('fetching ElasticMQ with Maven, about 36 MB (once)...');
    await fetchJars(ARTIFACTS, join(staging, 'jars'), java, log);
    await runTied([compiler, '-cp', join(staging, 'jars/*'), '-d', join(staging, 'classes'), SOURCE]);
  });
  const classes = `${join(folder, 'classes')}:${join(folder, 'jars/*')}`;
  const command = [java.program, ...JVM, '-cp', classes, 'ElasticMq'];
  const { server, port } = await onFreePorts(1, async (port) => {
    const server = new TiedProcess([...command, String(port)], { env: java.env });
    await server.ready(/^ready$/m, START_TIMEOUT_MS);
    return { server, port };
  });
  return {
    name: 'sqs',
    how: `ElasticMQ ${VERSION} from Maven artifacts (127.0.0.1:${port})`,
    env: { SQS_ENDPOINT: `http://127.0.0.1:${port}`, ...TEST_ACCOUNT },
    stop: () => server.end('SIGKILL'),
  };
}
