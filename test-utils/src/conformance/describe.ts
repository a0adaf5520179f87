/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { CHECKS } from './checks';
import type { Rig } from './rig';

/** Runs the conformance suite as jest tests; what the client cannot do is printed with its reason, as a passing test. */
export function describeConformance(makeRig: () => Rig | Promise<Rig>): void {
  describe('conformance', () => {
    let rig: Rig;
    beforeAll(async () => {
      rig = await makeRig();
    });
    for (const check of CHECKS) {
      test(check.promise, async () => {
        const reason = check.needs && rig.cannot?.[check.needs];
        if (reason === undefined) return check.run(rig);
        process.stderr.write(`${rig.name}: not applicable: ${check.promise}: ${reason}\n`);
      });
    }
  });
}
