// Tools that list and change the network's tables, against what the real ones printed on the recorded topology.
import { expect, test } from 'vitest';

import { serveText } from '../../main/network/world.ts';
import { readTranscripts, recorded } from '../../support/transcript.ts';
import { makeTopology } from './topology.ts';
import { KNOWN } from './known-differences.ts';

const TOOLS = ['ip', 'route', 'ifconfig', 'arp', 'nc', 'telnet'];

/** What varies: times, ids, counters, what has been learnt in which order. */
function masked(text: string): string {
  return text
    .replaceAll(/time[= ][\d.]+ ?ms/g, 'time T')
    .replaceAll(/[\d.]+\/[\d.]+\/[\d.]+(\/[\d.]+)? ms/g, 'RTT')
    .replaceAll(/ {2}\d+\.\d{3}ms$/gm, '  T')
    .replaceAll(/link-netns \S+/g, 'link-netns NS')
    .replaceAll(/(RX|TX|bytes|packets)[: ]+\d+/g, '$1 N')
    .replaceAll(/^\d+: (?=dummy|eth0\.)/gm, 'N: ')
    .replaceAll(/(dummy0:[^]*?link\/ether) \S+/g, '$1 MAC')
    .replaceAll(/^( +\d+){5,6} *$/gm, '  COUNTS')
    .replaceAll(/gc_timer +[\d.]+/g, 'gc_timer T')
    .replaceAll(/\([\d.]+ (?:B|KiB)\)/g, '(SIZE)')
    .replaceAll(/dropped \d+/g, 'dropped N')
    .replaceAll(/[ \t]+$/gm, '');
}

test.runIf(recorded)(
  'the recorded listings and changes are reproduced, but for a list that may only shrink',
  async () => {
    const topology = await makeTopology();
    serveText(topology.machines.get('web1a')!.kernel.net, 80, '');
    const differing: string[] = [];
    for (const tool of TOOLS) {
      for (const transcript of readTranscripts(tool)) {
        const node = transcript.node === '-' ? 'client' : transcript.node;
        if (!topology.machines.has(node)) continue;
        const name = `${tool}/${transcript.name}`;
        const result = await topology
          .run(node, transcript.script)
          .catch((error: unknown) => ({ stdout: String(error), status: -1 }));
        const same =
          masked(result.stdout) === masked(transcript.output) && result.status === transcript.exitCode;
        if (!same) differing.push(name);
        if (!same && process.env['SHOW'] === tool)
          console.log(
            `--- ${name} on ${node}\n$ ${transcript.script}\nwant ${transcript.exitCode}:\n${transcript.output}got ${result.status}:\n${result.stdout}`,
          );
      }
    }
    expect(differing.toSorted()).toEqual(Object.keys(KNOWN).toSorted());
  },
);
