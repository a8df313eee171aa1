// What ssh and sshd say to each other on a connection: version lines, then typed records.
import { createHash } from 'node:crypto';

import type { ByteStream } from '../../../network/index.ts';

/*
 * Differs: after the version lines the records are our own and aren't encrypted, and whoever is root on one machine is
 * let in as root on another, as if root's keys had been installed everywhere.
 */

export const SSH_PORT = 22;
const SSH_BANNER = 'SSH-2.0-OpenSSH_8.7';
const BANNER_BYTES_MAX = 255;
const RECORD_BYTES_MAX = 1_048_576;

/** The server's first record. */
export interface ServerHello {
  /** Base64, as in known_hosts. */
  readonly hostKey: string;
}

/** What a client asks for. */
export interface SessionRequest {
  readonly user: string;
  /** Who asks, on the machine the connection comes from. */
  readonly clientUser: string;
  readonly clientUid: number;
  /** Public keys of which the client holds the private half, in base64. */
  readonly keys: readonly string[];
  readonly command: string | undefined;
  readonly terminal: { readonly term: string; readonly columns: number; readonly rows: number } | undefined;
}

/** How a remote command ended. */
export interface SessionEnd {
  readonly exitCode: number;
  readonly signal?: string;
}

/** `hello`, `request`, `password`, `accepted` and `refused` open a session; the others are its content. */
export type RecordKind =
  | 'hello'
  | 'request'
  | 'accepted'
  | 'refused'
  | 'stdin'
  | 'eof'
  | 'resize'
  | 'stdout'
  | 'stderr'
  | 'exit'
  | 'password';

const KINDS: readonly RecordKind[] = [
  'hello',
  'request',
  'accepted',
  'refused',
  'stdin',
  'eof',
  'resize',
  'stdout',
  'stderr',
  'exit',
  'password',
];

export interface ChannelRecord {
  readonly kind: RecordKind;
  readonly content: Buffer;
}

/** The other side doesn't speak SSH. */
export class ProtocolError extends Error {}

export class Channel {
  readonly stream: ByteStream;
  private pending = Buffer.alloc(0);

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** Exchanges version lines; throws ProtocolError when the other's isn't one. */
  async greet(): Promise<void> {
    await this.stream.write(Buffer.from(`${SSH_BANNER}\r\n`));
    for (;;) {
      const end = this.pending.indexOf('\n');
      if (end >= 0) {
        const line = this.pending.subarray(0, end).toString().trimEnd();
        this.pending = this.pending.subarray(end + 1);
        if (line.startsWith('SSH-2.0-')) return;
        throw new ProtocolError(`Bad remote protocol version identification: '${line}'`);
      }
      if (this.pending.length > BANNER_BYTES_MAX || !(await this.fill()))
        throw new ProtocolError('kex_exchange_identification: Connection closed by remote host');
    }
  }

  async send(kind: RecordKind, content: Uint8Array | object = Buffer.alloc(0)): Promise<void> {
    const body = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
    const head = Buffer.alloc(5);
    head[0] = KINDS.indexOf(kind);
    head.writeUInt32BE(body.length, 1);
    await this.stream.write(Buffer.concat([head, body]));
  }

  /** Undefined once the other side has gone. */
  async receive(): Promise<ChannelRecord | undefined> {
    for (;;) {
      if (this.pending.length >= 5) {
        const size = this.pending.readUInt32BE(1);
        const kind = KINDS[this.pending[0]!];
        if (kind === undefined || size > RECORD_BYTES_MAX) throw new ProtocolError('Bad packet length.');
        if (this.pending.length >= 5 + size) {
          const content = this.pending.subarray(5, 5 + size);
          this.pending = this.pending.subarray(5 + size);
          return { kind, content };
        }
      }
      if (!(await this.fill())) return undefined;
    }
  }

  private async fill(): Promise<boolean> {
    const bytes = await this.stream.read();
    if (bytes === undefined) return false;
    this.pending = Buffer.concat([this.pending, bytes]);
    return true;
  }
}

/** `SHA256:…` of a key, as ssh-keygen -l prints. */
export function fingerprint(key: string): string {
  return `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;
}
