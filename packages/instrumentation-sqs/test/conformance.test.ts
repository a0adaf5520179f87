/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { describeConformance } from '@otel-messaging/test-utils';
import { sqsRig } from './rig';

describeConformance(sqsRig);
