// tcpdump against the recorded transcripts: real bytes are printed as recorded, and a dump is read by the real tshark.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { LINKTYPE_RAW } from '../../../main/linux/commands/network/pcap.ts';
import { dissect } from '../../../main/linux/commands/network/tcpdump-dissect.ts';
import { hexRows, PacketPrinter } from '../../../main/linux/commands/network/tcpdump-print.ts';
import { serveText } from '../../main/network/world.ts';
import { run } from '../../support/make-machine.ts';
import { readTranscripts, recorded } from '../../support/transcript.ts';
import { makeTopology } from './topology.ts';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;

test.runIf(recorded)('packets with recorded bytes are printed as recorded', () => {
  const transcript = readTranscripts('tcpdump').find((one) => one.name === '08-http-X')!;
  const printer = new PacketPrinter({
    numeric: true,
    verbosity: 0,
    linkHeader: false,
    quick: false,
    absoluteSequence: false,
    nameOf: (address) => address,
    interfaceName: String,
  });
  const blocks = [...transcript.output.matchAll(/^\S+ (IP .*)\n((?:\t0x.*\n)+)/gm)];
  expect(blocks).toHaveLength(4);
  for (const [, line, rows = ''] of blocks) {
    const hex = [...rows.matchAll(/0x\w+: {2}(.{39})/g)].map(([, pairs]) => pairs).join('');
    const bytes = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
    expect(printer.text(dissect(bytes, LINKTYPE_RAW))).toBe(line);
    expect(`${hexRows(bytes, true).slice(1)}\n`).toBe(rows);
  }
});

test.runIf(recorded)('its messages are the recorded ones', async () => {
  const topology = await makeTopology();
  const differing: string[] = [];
  const names = ['21-bad-if', '22-bad-filter', '23-bad-flag', '26-version'];
  for (const transcript of readTranscripts('tcpdump').filter((one) => names.includes(one.name))) {
    const result = await topology.run(transcript.node, transcript.script);
    if (result.stdout !== transcript.output || result.status !== transcript.exitCode)
      differing.push(`${transcript.name}: ${result.status} ${result.stdout}`);
  }
  expect(differing).toEqual([]);
});

/** What varies: times, numbers, ports, ids. */
function masked(text: string): string {
  return text
    .replaceAll(/^\d\d:\d\d:\d\d\.\d{6}/gm, 'TIME')
    .replaceAll(/(seq|ack|id|val|ecr|win) \d+/g, '$1 N')
    .replaceAll(/(192\.168\.10\.1[12])\.\d+ > /g, '$1.PORT > ');
}

test.runIf(recorded)('a ping between nodes and pods looks as recorded', async () => {
  const topology = await makeTopology();
  for (const { name, probe, from } of [
    { name: '01-arp-icmp', probe: 'ping -c 2 192.168.10.11', from: 'client' },
    { name: '14-vxlan', probe: 'ping -c 1 10.244.1.10', from: 'tester' },
    { name: '15-icmp-v', probe: 'ping -c 2 10.244.1.10', from: 'tester' },
  ]) {
    const transcript = readTranscripts('tcpdump').find((one) => one.name === name)!;
    const node = transcript.node;
    const watching = topology.machines.get(node)!.kernel;
    const output = watching.pipe();
    const task = watching.start({
      argv: ['bash', '-c', transcript.script.replace('tcpdump', 'exec tcpdump')],
      env: new Map([['PATH', '/usr/sbin:/usr/bin']]),
      stdio: [watching.nullFile(), output.writer, output.writer],
    });
    const text = output.reader.readText();
    await topology.run(from, `sleep 1; ${probe}; sleep 1`);
    watching.kill(task.pid, 'SIGINT');
    let lines = '';
    void text.then((all) => (lines = all));
    await topology.world.simulation.advanceUntil(() => lines !== '', { seconds: 10 });
    const wanted = transcript.output
      .replace('^C', '')
      .replace(/^.*Request who-has 192.168.10.10 [^]*?Reply 192.168.10.10 .*\n/m, '');
    const count = (all: string): string => masked(all).replaceAll(/^\d+ packets/gm, 'N packets');
    expect(count(lines)).toBe(count(wanted));
  }
  expect(topology.world.faults).toEqual([]);
});

test.runIf(hasTshark)('the real tshark reads a dump without a malformed packet', async () => {
  const topology = await makeTopology();
  serveText(
    topology.machines.get('web1a')!.kernel.net,
    80,
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nweb1\n',
  );
  const script =
    'tcpdump -i any -w /tmp/any.pcap & tcpdump -i eth0 -w /tmp/eth0.pcap & sleep 1; ping -c 1 10.244.2.1; ping -c 1 10.244.1.10; curl -s 10.244.1.10; curl -s 10.244.1.10:81; nslookup -timeout=1 -retry=0 web1 10.244.1.10; sleep 1; kill -INT %1 %2; wait';
  await topology.run('worker2', script);
  const folder = mkdtempSync(path.join(tmpdir(), 'pcap-'));
  try {
    for (const name of ['any', 'eth0']) {
      const machine = topology.machines.get('worker2')!;
      const encoded = await run(machine, ['base64', `/tmp/${name}.pcap`]);
      const file = path.join(folder, `${name}.pcap`);
      writeFileSync(file, Buffer.from(encoded.stdout, 'base64'));
      const decoded = execFileSync(
        'tshark',
        [
          '-r',
          file,
          '-d',
          'udp.port==8472,vxlan',
          '-o',
          'ip.check_checksum:TRUE',
          '-o',
          'tcp.check_checksum:TRUE',
          '-o',
          'udp.check_checksum:TRUE',
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      );
      expect(decoded.split('\n').length).toBeGreaterThan(15);
      expect(decoded).not.toMatch(/malformed/i);
      expect(decoded).toMatch(/HTTP.*GET \/ HTTP\/1\.1/);
      const bad = execFileSync(
        'tshark',
        [
          '-r',
          file,
          '-d',
          'udp.port==8472,vxlan',
          '-o',
          'ip.check_checksum:TRUE',
          '-o',
          'tcp.check_checksum:TRUE',
          '-Y',
          '_ws.malformed or ip.checksum.status == "Bad" or tcp.checksum.status == "Bad"',
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      );
      expect(bad).toBe('');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
