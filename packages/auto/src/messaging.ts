/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { Instrumentation } from '@opentelemetry/instrumentation';
import type * as Amqp from '@otel-messaging/instrumentation-amqp';
import type * as Kafka from '@otel-messaging/instrumentation-kafka';
import type * as Sqs from '@otel-messaging/instrumentation-sqs';

import { configurationFromFile } from './configuration-file';
import { declaredSemconv } from './declared-semconv';
import { MESSAGING_NAMES, type MessagingName, UPSTREAM_NAMES, unknownNames } from './known-names';
import { attempt, report } from './report';
import { isSelected, type Selection, selectionFrom, shortName } from './selection';
import { upstreamNames } from './upstream';

// Loaded one by one, so that what is left out costs nothing and a broken one takes no other with it.
const FACTORIES = {
  sqs: (config?: SqsConfig) => {
    const { SqsInstrumentation } = require('@otel-messaging/instrumentation-sqs') as typeof Sqs;
    return new SqsInstrumentation(config);
  },
  amqp: (config?: AmqpConfig) => {
    const { AmqpInstrumentation } = require('@otel-messaging/instrumentation-amqp') as typeof Amqp;
    return new AmqpInstrumentation(config);
  },
  kafka: (config?: KafkaConfig) => {
    const { KafkaInstrumentation } = require('@otel-messaging/instrumentation-kafka') as typeof Kafka;
    return new KafkaInstrumentation(config);
  },
} satisfies Record<MessagingName, (config?: never) => Instrumentation>;

type SqsConfig = ConstructorParameters<typeof Sqs.SqsInstrumentation>[0];
type AmqpConfig = ConstructorParameters<typeof Amqp.AmqpInstrumentation>[0];
type KafkaConfig = ConstructorParameters<typeof Kafka.KafkaInstrumentation>[0];

/**
 * Options for each instrumentation, by short or package name. `enabled: false` leaves one out, and `enabled: true` puts
 * it in whatever the environment says.
 */
export interface MessagingInstrumentationsConfig {
  readonly sqs?: SqsConfig;
  readonly amqp?: AmqpConfig;
  readonly kafka?: KafkaConfig;
  readonly '@otel-messaging/instrumentation-sqs'?: SqsConfig;
  readonly '@otel-messaging/instrumentation-amqp'?: AmqpConfig;
  readonly '@otel-messaging/instrumentation-kafka'?: KafkaConfig;
}

/**
 * New instances of the messaging instrumentations that `config` and the environment variables
 * `OTEL_NODE_ENABLED_INSTRUMENTATIONS` and `OTEL_NODE_DISABLED_INSTRUMENTATIONS` select; all three by default. Where the
 * file that `OTEL_CONFIG_FILE` names says by which semantic conventions messages are recorded, it wins over their `semconv`.
 *
 * Never throws: what cannot be made is reported on standard error and left out.
 */
export function getMessagingInstrumentations(config: MessagingInstrumentationsConfig = {}): Instrumentation[] {
  const selection = selectionFrom(process.env);
  const declared = configurationFromFile(process.env);
  reportMistakes(selection, Object.keys(config));
  return MESSAGING_NAMES.flatMap((name) => {
    const options = config[name] ?? config[`@otel-messaging/instrumentation-${name}`];
    if (!(options?.enabled ?? isSelected(selection, name))) return [];
    const inForce = declared ? { ...options, semconv: declaredSemconv(declared, options?.semconv) } : options;
    return attempt(`trace ${name}`, () => (FACTORIES[name] as (config?: object) => Instrumentation)(inForce)) ?? [];
  });
}

function reportMistakes({ enabled, disabled }: Selection, configured: readonly string[]): void {
  const names = new Set([...(enabled ?? []), ...disabled, ...configured.map(shortName)]);
  const known = [...MESSAGING_NAMES, ...UPSTREAM_NAMES];
  const unknown = unknownNames(names, known);
  // The installed package is asked only now: reading it costs more than the list above.
  const stillUnknown = unknown.length > 0 ? unknownNames(names, [...known, ...upstreamNames()]) : [];
  for (const { name, meant } of stillUnknown) {
    const hint = meant ? `did you mean "${meant}"?` : `ours are ${MESSAGING_NAMES.join(', ')}`;
    report(`unknown instrumentation "${name}"; ${hint}`);
  }
  if (
    enabled &&
    !MESSAGING_NAMES.some((name) => enabled.has(name) || configured.some((key) => shortName(key) === name))
  )
    report(`OTEL_NODE_ENABLED_INSTRUMENTATIONS names none of ${MESSAGING_NAMES.join(', ')}: no messages are traced`);
}
