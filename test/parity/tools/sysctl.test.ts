// sysctl(8) and hostname(1) as recorded on the topology's nodes.
import { makeTopology } from '../network/topology.ts';
import { runOnTerminal } from '../../support/transcript.ts';
import { replays } from './replay.ts';

const topology = makeTopology();
const onNode = {
  makeMachine: async () => (await topology).machines.get('worker1')!,
  run: async (_: unknown, { node, script }: { node: string; script: string }) =>
    runOnTerminal((await topology).machines.get(node)!, script),
};

replays({
  folder: 'sysctl',
  ...onNode,
  before: {
    '01-arp':
      'sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2; modprobe br_netfilter',
  },
  known: {},
});
replays({ folder: 'hostname', ...onNode, known: {} });
