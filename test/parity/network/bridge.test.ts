// bridge(8) and brctl(8) against what the real ones printed on the recorded topology.
import { expect, test } from 'vitest';

import { readTranscripts, recorded } from '../../support/transcript.ts';
import { makeTopology } from './topology.ts';

/** Timers run, and learnt addresses come in an order of the kernel's hash. */
function masked(name: string, text: string): string {
  const timers = text.replaceAll(/ {1,3}\d+\.\d{2}$/gm, ' T').replaceAll(/(gc timer\t\t)[\d. ]+/g, '$1T');
  return name.includes('fdb') ? timers.split('\n').toSorted().join('\n') : timers;
}

// Without the recordings (../shared/golden) the test is shown as skipped.
test.runIf(recorded)('bridge and brctl print what the real ones printed', async () => {
  const topology = await makeTopology();
  for (const pod of ['coredns', 'web1a', 'web2a']) await topology.run(pod, 'ping -c 1 10.244.1.1');
  const differing: string[] = [];
  for (const tool of ['bridge', 'brctl']) {
    for (const transcript of readTranscripts(tool)) {
      const result = await topology.run(
        transcript.node === '-' ? 'client' : transcript.node,
        transcript.script,
      );
      const same =
        masked(transcript.name, result.stdout) === masked(transcript.name, transcript.output) &&
        result.status === transcript.exitCode;
      const name = `${tool}/${transcript.name}`;
      if (!same && process.env['SHOW'] !== undefined)
        console.log(
          `--- ${name}\nwant ${transcript.exitCode}:\n${transcript.output}got ${result.status}:\n${result.stdout}`,
        );
      if (!same) differing.push(name);
    }
  }
  expect(topology.world.faults).toEqual([]);
  expect(differing).toEqual([]);
});
