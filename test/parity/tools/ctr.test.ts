// ctr(8) as recorded on a Debian 12 with containerd 1.6.
import { makeDockerMachine } from '../../support/docker-machine.ts';
import { replays } from './replay.ts';

replays({
  folder: 'ctr',
  async makeMachine() {
    const faults: unknown[] = [];
    const { machine, clock } = await makeDockerMachine({ faults });
    return { kernel: machine.kernel, clock, faults };
  },
  mask: (text) =>
    text.replaceAll(/^( +(?:Version|Revision|Go version|UUID):).*$/gm, '$1 V').replaceAll(/ +$/gm, ''),
  before: { '07-down': 'systemctl stop containerd' },
  known: {},
});
