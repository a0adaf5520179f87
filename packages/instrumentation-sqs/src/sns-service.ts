/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';
import type { Service } from './client';
import { CommandTypes } from './command-types';
import type { SqsOptions } from './config';
import { publish, publishBatch } from './sns-calls';
import { sendHeaders } from './sns-header';
import { regionOfArn, topicArn } from './sns-operations';
import { Topic } from './sns-topic';

const COMMANDS = new CommandTypes<Topic>({ PublishCommand: publish, PublishBatchCommand: publishBatch });

/** The key of all that is no topic. */
const DIRECT = '';

/** SNS: its publishing commands, and the topics that they go to. */
export function snsService(telemetry: Telemetry, options: () => SqsOptions): Service<Topic> {
  return {
    commands: COMMANDS,
    meet: sendHeaders,
    keyOf: (input) => topicArn(input) ?? DIRECT,
    placeOf: (key, _, { server, found, region }) => {
      const arn = key === DIRECT ? undefined : key;
      return new Topic(telemetry, options(), { arn, server: server ?? found, region: region ?? regionOfArn(arn) });
    },
  };
}
