/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KAFKA_VERSION, type KafkaFiles, kafkaFiles, prepareClassArchive } from './kafka-files';
import { JVM, serverProperties } from './kafka-settings';
import { onFreePorts } from './ports';
import type { Log, OwnBroker } from './running-broker';
import { temporaryFolder } from './temporary-folder';
import { TiedProcess } from './tied-process';

/** One to three seconds on a quiet machine; many times that for a busy one. */
const START_TIMEOUT_MS = 60_000;
/** Options that may be meant for other Java programs, an agent for instance. */
const JAVA_OPTIONS = /^(JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS)$/;

/** A Kafka of our own: one node that is broker and controller; a topic used before it is made gets one partition. */
export async function launchKafka(log: Log): Promise<OwnBroker> {
  const files = await kafkaFiles(log);
  await prepareClassArchive(files, async (jvmOption) => {
    log('preparing a quick start (once)...');
    const broker = await onFreePorts(1, (port) => launch(files, port, [jvmOption]));
    await broker.halt('SIGTERM'); // the archive is written at an orderly end only
    await broker.stop();
  });
  const quick = existsSync(files.classArchive) ? [`-XX:SharedArchiveFile=${files.classArchive}`] : [];
  return onFreePorts(1, (port) => launch(files, port, quick));
}

async function launch(files: KafkaFiles, port: number, jvmOptions: readonly string[]): Promise<OwnBroker> {
  const folder = temporaryFolder('otel-messaging-kafka');
  const properties = join(folder.path, 'server.properties');
  const jvm = [...JVM, ...jvmOptions, `-Djava.io.tmpdir=${folder.path}`];
  const start = async () => {
    const command = [files.java.program, ...jvm, '-cp', join(files.jars, '*'), 'kafka.Kafka', properties];
    const server = new TiedProcess(command, { cwd: folder.path, env: files.java.env, without: JAVA_OPTIONS });
    await server.ready(/Kafka Server started/, START_TIMEOUT_MS);
    return server;
  };
  try {
    cpSync(files.emptyStorage, join(folder.path, 'data'), { recursive: true });
    writeFileSync(properties, serverProperties(folder.path, port));
    let server = await start();
    return {
      name: 'kafka',
      how: `Kafka ${KAFKA_VERSION} from Maven artifacts (127.0.0.1:${port})`,
      env: { KAFKA_BROKERS: `127.0.0.1:${port}` },
      get pid() {
        return server.pid;
      },
      halt: (signal = 'SIGTERM') => server.end(signal),
      async restart() {
        server = await start();
      },
      async stop() {
        await server.end('SIGKILL');
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
