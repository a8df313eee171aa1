// traceroute and tracepath against the recorded transcripts on the recorded topology.
import { expect, test } from 'vitest';

import { serveText } from '../../main/network/world.ts';
import { readTranscripts, recorded } from '../../support/transcript.ts';
import { makeTopology } from './topology.ts';

/** Transcripts that differ, with the reason. The list may only get shorter. */
const KNOWN: Readonly<Record<string, string>> = {
  '06-T': "the real routers' ICMP errors were rate-limited; icmp_ratelimit isn't simulated",
  '07-unreachable': 'which hop the unreachable falls on depends on how probes and ARP time out together',
};

function masked(text: string): string {
  return text.replaceAll(/ +\d+\.\d{3} ?ms/g, ' T ms').replaceAll(/^ ?\d+ {2}\* \* \*\n/gm, '');
}

test.runIf(recorded)('traceroute and tracepath print what the real ones printed', async () => {
  const topology = await makeTopology();
  serveText(topology.machines.get('web1a')!.kernel.net, 80, '');
  const differing: string[] = [];
  for (const transcript of readTranscripts('traceroute')) {
    const result = await topology.run(
      transcript.node === '-' ? 'client' : transcript.node,
      transcript.script,
    );
    const same = masked(result.stdout) === masked(transcript.output) && result.status === transcript.exitCode;
    if (!same && process.env['SHOW'] !== undefined)
      console.log(
        `--- ${transcript.name}\nwant ${transcript.exitCode}:\n${transcript.output}got ${result.status}:\n${result.stdout}`,
      );
    if (same === (KNOWN[transcript.name] !== undefined)) differing.push(transcript.name);
  }
  expect(topology.world.faults).toEqual([]);
  expect(differing).toEqual([]);
});
