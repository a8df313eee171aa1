// Small system tools as recorded on a Debian 12: what is measured is masked, its shape is not.
import { runOnTerminal } from '../../support/transcript.ts';
import { makeTopology } from '../network/topology.ts';
import { KNOWN } from './known-differences.ts';
import { replays } from './replay.ts';
import { makeSystemMachine } from './system-machine.ts';

/** Figures, names and versions of the recorded machine. */
function mask(text: string, name: string): string {
  if (name === '01-free-h' || name === '02-free-m' || name === '03-df-h')
    return text.replaceAll(/ +[\d.]+(?:[KMG]i?|B)?%?(?= |$)/gm, ' N').replaceAll(/\/dev\/\S+ +/g, 'DEVICE ');
  if (name === '07-uptime')
    return text.replaceAll(/up .*?, {2}\d+ users?/g, 'up SPAN, USERS').replaceAll(/[\d.:]{4,}/g, 'N');
  return text
    .replaceAll(/\b\d+\.\d+\.\d+-[\w.-]+\b/g, 'RELEASE')
    .replaceAll(/\b[\da-f]{32}\b/g, 'ID')
    .replaceAll(/bus-info: .*/g, 'bus-info: BUS')
    .replaceAll(/\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'WHEN');
}

replays({
  folder: 'misc',
  makeMachine: () => makeSystemMachine({ hostname: 'worker1' }),
  mask,
  before: { '08-lsmod-ipvs': 'modprobe -a ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh nf_conntrack' },
  // Those recorded on a node need its card.
  run: async (machine, { node, script }) => {
    const where = node === '-' ? machine : (await makeTopology()).machines.get(node)!;
    return runOnTerminal(where, script);
  },
  known: KNOWN.misc,
});
