// TLS as curl and wget use it: a session over a connection, with the verification errors of OpenSSL.
import type { ByteStream, TcpSocket } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';

/** A handshake that failed: curl's exit code and text. */
export class TlsFailure extends Error {
  readonly curlCode: number;
  constructor(curlCode: number, message: string) {
    super(message);
    this.curlCode = curlCode;
  }
}

export interface TlsSession {
  readonly stream: ByteStream;
}

export interface TlsClientOptions {
  readonly host: string;
  /** -k */
  readonly insecure: boolean;
  readonly caFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly note: (text: string) => Promise<void>;
}

/** Shakes hands over a connected socket. Rejects with TlsFailure. */
export async function openTls(proc: Process, socket: TcpSocket, options: TlsClientOptions): Promise<TlsSession> {
  void proc;
  void options;
  socket.close();
  throw new TlsFailure(35, "drydock: TLS isn't simulated yet");
}
