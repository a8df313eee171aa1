import { expect, test } from 'vitest';
import { frameBytes, frameLength, Packet, packetBytes, type Frame } from '../../../../main/network/index.ts';
import { checksum } from '../../../../main/network/link/packet-bytes.ts';
import { fetchText, joinVeth, makeWorld, serveText } from '../world.ts';

test('every frame of a connection has the length it counts with and checksums that verify', async () => {
  const world = makeWorld();
  const [client, server] = [world.namespace('client'), world.namespace('server')];
  joinVeth(client, 'eth0', '10.0.0.1/24', server, 'eth0', '10.0.0.2/24');
  serveText(server, 80, 'hello');
  const frames: Frame[] = [];
  client.capture.open(undefined, ({ frame }) => frames.push(frame));
  await fetchText(world, client, '10.0.0.2', 80);
  await expect(fetchText(world, client, '10.0.0.2', 81)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const echo = client.sockets.openEcho();
  echo.send('10.0.0.2', { sequence: 1 });
  client.sockets.openUdp().send(new Uint8Array(3), { address: '10.0.0.2', port: 9 });
  await world.simulation.advance({ seconds: 1 });
  expect(frames.length).toBeGreaterThan(12);
  for (const frame of frames) {
    const bytes = frameBytes(frame);
    expect(bytes.length).toBe(frameLength(frame));
    expect(bytes[12]! * 256 + bytes[13]!).toBe(frame.payload instanceof Packet ? 0x0800 : 0x0806);
  }
  const packets = frames.flatMap(({ payload }) => (payload instanceof Packet ? [payload] : []));
  for (const packet of packets) expect(checksum(packetBytes(packet).subarray(0, 20))).toBe(0);
});

test('a known header has the checksum of RFC 1071’s kind', () => {
  // 45 00 00 73 00 00 40 00 40 11 b8 61 c0 a8 00 01 c0 a8 00 c7
  const header = Buffer.from('45000073000040004011b861c0a80001c0a800c7', 'hex');
  expect(checksum(header)).toBe(0);
  header.writeUInt16BE(0, 10);
  expect(checksum(header)).toBe(0xb861);
});
