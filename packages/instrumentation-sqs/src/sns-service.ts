/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Server, Telemetry } from '@otel-messaging/messaging-common';
import type { Service } from './client';
import type { AwsClientLike, ClientFacts } from './client-state';
import { CommandTypes } from './command-types';
import type { SqsOptions } from './config';
import { serverOfEndpoint } from './operations';
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
    placeOf: (key, client, facts) => {
      const arn = key === DIRECT ? undefined : key;
      const server = facts.server ?? telemetry.guard('find an endpoint', undefined, () => serverByRules(client, facts));
      return new Topic(telemetry, options(), { arn, server, region: facts.region ?? regionOfArn(arn) });
    },
  };
}

/** The server that a client without an endpoint of its own finds for its region. */
function serverByRules({ config }: AwsClientLike, { region, isFips, isDualStack }: ClientFacts): Server | undefined {
  const provider = config?.endpointProvider;
  if (typeof provider !== 'function' || region === undefined) return undefined;
  return serverOfEndpoint(provider({ Region: region, UseFIPS: isFips === true, UseDualStack: isDualStack === true }));
}
