// Accepts TLS sessions on a TCP port, for serveHttp and others: a slow handshake keeps nobody waiting.
import type { Clock, Random } from '../../simulation/index.ts';
import type { AcceptedStream, StreamSource } from '../http/index.ts';
import type { TcpListener, TcpSocket } from '../socket/socket.ts';
import { acceptTls, TlsError, type TlsServerOptions } from './handshake.ts';

export interface TlsListenerOptions extends Pick<
  TlsServerOptions,
  'identityFor' | 'protocols' | 'versions' | 'cipher13' | 'tickets'
> {
  /** Read for each connection, so that a renewed certificate counts from then on. */
  readonly identity: () => TlsServerOptions['identity'];
  readonly clientAuthorities?: () => string;
  readonly clock: Clock;
  readonly random: Random;
  /** Sent, before closing, to a client that speaks plain HTTP; Go's server says it so. */
  readonly plainAnswer?: string;
}

/** What Go's net/http answers plain HTTP on a TLS port. */
export const GO_PLAIN_ANSWER =
  'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/** Sessions over the connections of a listener. Disposing the listener ends it. */
export function tlsSource(listener: TcpListener, options: TlsListenerOptions): StreamSource {
  const ready: AcceptedStream[] = [];
  const waiting: { resolve: (stream: AcceptedStream) => void; reject: (error: unknown) => void }[] = [];
  let failure: { readonly error: unknown } | undefined;

  const greet = async (socket: TcpSocket): Promise<void> => {
    try {
      const stream = await acceptTls(socket, {
        ...pick(options),
        identity: options.identity(),
        ...(options.clientAuthorities === undefined
          ? {}
          : { clientAuthorities: options.clientAuthorities() }),
        nowMs: options.clock.now(),
        random: options.random,
      });
      const { peerCertificate, serverName, version, cipher, protocol } = stream;
      const accepted: AcceptedStream = {
        ...stream,
        remote: socket.remote,
        peer: {
          tls: { version, cipher, protocol },
          ...(serverName === undefined ? {} : { serverName }),
          ...(peerCertificate === undefined
            ? {}
            : {
                certificate: {
                  commonName: peerCertificate.commonName,
                  organizations: peerCertificate.organizations,
                },
              }),
        },
      };
      const next = waiting.shift();
      if (next === undefined) ready.push(accepted);
      else next.resolve(accepted);
    } catch (error) {
      if (error instanceof TlsError && error.code === 'not-tls' && options.plainAnswer !== undefined) {
        await socket.write(Buffer.from(options.plainAnswer)).catch(() => undefined); // It may have left already.
        socket.end();
      } else socket.close();
    }
  };
  const acceptAll = async (): Promise<void> => {
    try {
      for (;;) void greet(await listener.accept());
    } catch (error) {
      failure = { error };
      for (const next of waiting.splice(0)) next.reject(error);
    }
  };
  void acceptAll();

  return {
    accept() {
      const stream = ready.shift();
      if (stream !== undefined) return Promise.resolve(stream);
      if (failure !== undefined) return Promise.reject(failure.error as Error);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
  };
}

function pick(options: TlsListenerOptions): Partial<TlsServerOptions> {
  const { identityFor, protocols, versions, cipher13, tickets } = options;
  // What answers plain HTTP as Go does is a Go server in the rest too.
  const isGo = options.plainAnswer === GO_PLAIN_ANSWER;
  return {
    ...(isGo ? { protocols: ['h2', 'http/1.1'], cipher13: 'TLS_AES_128_GCM_SHA256', tickets: 1 } : {}),
    ...(identityFor === undefined ? {} : { identityFor }),
    ...(protocols === undefined ? {} : { protocols }),
    ...(versions === undefined ? {} : { versions }),
    ...(cipher13 === undefined ? {} : { cipher13 }),
    ...(tickets === undefined ? {} : { tickets }),
  };
}
