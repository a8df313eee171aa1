// curl, wget, nc and telnet against the recorded transcripts, on the recorded network with its servers.
import { runOnTerminal, type Transcript } from '../../support/transcript.ts';
import type { BareMachine } from '../../support/make-machine.ts';
import type { Topology } from '../network/topology.ts';
import { KNOWN_HTTP } from './known-http-differences.ts';
import { makeNetworkStage } from './network-stage.ts';
import { replays } from './replay.ts';

function mask(text: string): string {
  return text
    .replaceAll(/\r+\n/g, '\n')
    .replaceAll(/\w{3}, \d\d \w{3} 20\d\d [\d:]{8} GMT/g, 'DATE')
    .replaceAll(/(start|expire) date: .*/g, '$1 date: D')
    .replaceAll(/after \d+ (ms|milliseconds)/g, 'after N $1')
    .replaceAll(/timeout after \d+ms/g, 'timeout after Nms')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'STAMP')
    .replaceAll(/\([\d.]+ [KM]B\/s\)/g, '(SPEED)')
    .replaceAll(/(dns|connect|ttfb|total) [\d.]+/g, '$1 T')
    .replaceAll(/easy handle 0x[0-9a-f]+/g, 'easy handle H')
    .replaceAll(/web1-6d4b75cb6d-\w{5}/g, 'web1-pod')
    .replaceAll(/web2-7f8c9b5d46-\w{5}/g, 'web2-pod')
    .replaceAll(/ {2,}\d+ {6}0 --:--:-- --:--:-- --:--:-- +\d+/g, ' SPEED');
}

function replay(folder: string): void {
  let stage: Topology | undefined;
  replays({
    folder,
    makeMachine: async () => {
      stage = await makeNetworkStage();
      return stage.machines.get('client')!;
    },
    run: async (machine: BareMachine, transcript: Transcript) => {
      const topology = stage!;
      const where = topology.machines.get(transcript.node === '-' ? 'client' : transcript.node) ?? machine;
      if (/9999/.test(transcript.script))
        await topology.run('master1', 'iptables -I INPUT -p tcp --dport 9999 -j DROP');
      const typed =
        transcript.name === '82-ctrl-c'
          ? [{ afterMs: 3000, keys: '\u0003' }]
          : transcript.name === '01-ok'
            ? [{ afterMs: 1000, keys: 'GET / HTTP/1.0\r\n\r' }]
            : [];
      return runOnTerminal({ kernel: where.kernel, clock: topology.world.simulation }, transcript.script, {
        columns: transcript.columns ?? 160,
        typed,
      });
    },
    mask,
    known: KNOWN_HTTP[folder] ?? {},
  });
}

for (const folder of ['curl', 'wget', 'nc', 'telnet']) replay(folder);
