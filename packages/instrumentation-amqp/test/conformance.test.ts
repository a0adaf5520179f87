/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { describeConformance } from '@otel-messaging/test-utils';
import { rigs } from './rig';

for (const rig of rigs) {
  describe(rig.name, () => describeConformance(() => rig));
}
