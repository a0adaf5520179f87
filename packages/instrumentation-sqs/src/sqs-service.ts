/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Telemetry } from '@otel-messaging/messaging-common';
import type { Service } from './client';
import { CommandTypes } from './command-types';
import type { SqsOptions } from './config';
import { deleteMessage, deleteMessageBatch } from './delete-calls';
import { keepForeignHeaders } from './foreign-header';
import { regionOfUrl, serverOfUrl } from './operations';
import { Queue } from './queue';
import { receiveMessage } from './receive-call';
import type { SystemNamesField } from './received-attributes';
import { sendMessage, sendMessageBatch } from './send-calls';
import { changeVisibility, changeVisibilityBatch } from './visibility-calls';

const COMMANDS = new CommandTypes<Queue>({
  SendMessageCommand: sendMessage,
  SendMessageBatchCommand: sendMessageBatch,
  ReceiveMessageCommand: receiveMessage,
  DeleteMessageCommand: deleteMessage,
  DeleteMessageBatchCommand: deleteMessageBatch,
  ChangeMessageVisibilityCommand: changeVisibility,
  ChangeMessageVisibilityBatchCommand: changeVisibilityBatch,
});

/** SQS: its commands, and the queues that they go to. */
export function sqsService(
  telemetry: Telemetry,
  options: () => SqsOptions,
  systemField: SystemNamesField,
): Service<Queue> {
  return {
    commands: COMMANDS,
    // Without a URL the client refuses the call, which then is no operation on any queue.
    keyOf: (input) => textOf((input as { readonly QueueUrl?: unknown }).QueueUrl),
    meet: keepForeignHeaders,
    placeOf: (url, { config }, { server, found, region }) => {
      // Without an endpoint of its own a client sends to the host in the queue's URL, if that has one. Until the client's
      // own answers are there, the first calls go by that too.
      const host = config?.useQueueUrlAsEndpoint === false ? undefined : serverOfUrl(url);
      const facts = { url, server: server ?? host ?? found, region: region ?? regionOfUrl(url) };
      return new Queue(telemetry, options(), facts, systemField);
    },
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
