// pcap files (draft-ietf-opsawg-pcap): what tcpdump -w writes and -r reads, as other tools do.
import { frameBytes, packetBytes, Packet, type CapturedFrame } from '../../../network/index.ts';

/** LINKTYPE_ numbers of the link types that captures here have. */
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;
export const LINKTYPE_LINUX_SLL2 = 276;

export const SNAPSHOT_BYTES = 262_144;
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const FILE_HEAD_BYTES = 24;
const RECORD_HEAD_BYTES = 16;

/** One captured packet as the file has it. */
export interface PcapRecord {
  /** Since the epoch, with fractions. */
  readonly timeMs: number;
  readonly bytes: Uint8Array;
  /** On the wire; more than `bytes` when the snapshot length cut it. */
  readonly lengthBytes: number;
}

export interface PcapFile {
  readonly linkType: number;
  readonly snapshotBytes: number;
  readonly records: readonly PcapRecord[];
}

/** The text in `link-type EN10MB (Ethernet)`. */
export function linkTypeText(linkType: number): string {
  if (linkType === LINKTYPE_ETHERNET) return 'EN10MB (Ethernet)';
  return linkType === LINKTYPE_RAW ? 'RAW (Raw IP)' : 'LINUX_SLL2 (Linux cooked v2)';
}

/** What a capture socket of this link type gives for a frame. */
export function capturedBytes(captured: CapturedFrame, linkType: number): Uint8Array {
  const { frame, link, timeMs } = captured;
  if (linkType === LINKTYPE_ETHERNET) return frameBytes(frame, timeMs);
  const body =
    frame.payload instanceof Packet ? packetBytes(frame.payload, timeMs) : frameBytes(frame).subarray(14);
  if (linkType === LINKTYPE_RAW) return body;
  const head = Buffer.alloc(20);
  head.writeUInt16BE(frame.payload instanceof Packet ? 0x0800 : 0x0806, 0);
  head.writeUInt32BE(link.index, 4);
  head.writeUInt16BE(link.kind === 'loopback' ? 772 : link.kind === 'ipip' ? 768 : 1, 8);
  head[10] = packetType(captured);
  head[11] = 6;
  Buffer.from(frame.source.replaceAll(':', ''), 'hex').copy(head, 12, 0, 6);
  return Buffer.concat([head, body]);
}

/** sll_pkttype of packet(7): to us, broadcast, multicast, somebody else's, ours. */
function packetType({ direction, frame, link }: CapturedFrame): number {
  if (direction === 'out') return 4;
  if (frame.destination === 'ff:ff:ff:ff:ff:ff') return 1;
  if ((Number.parseInt(frame.destination.slice(0, 2), 16) & 1) === 1) return 2;
  return link.kind === 'ipip' || link.kind === 'loopback' || frame.destination === link.mac ? 0 : 3;
}

export function pcapHead(linkType: number, snapshotBytes: number): Uint8Array {
  const head = Buffer.alloc(FILE_HEAD_BYTES);
  head.writeUInt32LE(MAGIC_MICROSECONDS, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(snapshotBytes, 16);
  head.writeUInt32LE(linkType, 20);
  return head;
}

export function pcapRecord(record: PcapRecord): Uint8Array {
  const head = Buffer.alloc(RECORD_HEAD_BYTES);
  const microseconds = Math.floor(record.timeMs * 1000);
  head.writeUInt32LE(Math.floor(microseconds / 1e6), 0);
  head.writeUInt32LE(microseconds % 1e6, 4);
  head.writeUInt32LE(record.bytes.length, 8);
  head.writeUInt32LE(record.lengthBytes, 12);
  return Buffer.concat([head, record.bytes]);
}

/** Reads a file of either byte order; a last record that is cut off is left out. Undefined if it is no pcap file. */
export function parsePcap(content: Uint8Array): PcapFile | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (bytes.length < FILE_HEAD_BYTES) return undefined;
  const magics = [MAGIC_MICROSECONDS, MAGIC_NANOSECONDS];
  const isLittle = magics.includes(bytes.readUInt32LE(0));
  if (!isLittle && !magics.includes(bytes.readUInt32BE(0))) return undefined;
  const u32 = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const perMs = u32(0) === MAGIC_NANOSECONDS ? 1e6 : 1e3;
  const records: PcapRecord[] = [];
  for (let at = FILE_HEAD_BYTES; at + RECORD_HEAD_BYTES <= bytes.length;) {
    const start = at + RECORD_HEAD_BYTES;
    const end = start + u32(at + 8);
    if (end > bytes.length) break;
    records.push({
      timeMs: u32(at) * 1000 + u32(at + 4) / perMs,
      bytes: bytes.subarray(start, end),
      lengthBytes: u32(at + 12),
    });
    at = end;
  }
  return { linkType: u32(20) & 0xffff, snapshotBytes: u32(16), records };
}
