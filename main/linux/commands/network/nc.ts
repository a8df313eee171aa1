// nc(1) (OpenBSD's) and telnet(1)
import { ErrnoError, type TcpSocket } from '../../../network/index.ts';
import { ProcessExit, type Process, type Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { lookupHost, lookupService } from '../../libc/index.ts';

const OWNER = (proc: Process, name: string): { pid: number; command: string; uid: number } => ({
  pid: proc.pid,
  command: name,
  uid: proc.credentials.uid,
});

interface RelayOptions {
  /** What stdin's end does: nothing, closing this half (-N), or leaving after so many ms (-q). */
  readonly atEnd: 'keep' | 'half-close' | number;
  /** -w: leaves after so long without a byte either way. */
  readonly idleMs?: number;
  /** -d: stdin isn't read. */
  readonly isDeaf?: boolean;
}

/** Passes bytes both ways until the other side is done. */
async function relay(proc: Process, socket: TcpSocket, options: RelayOptions): Promise<void> {
  const left = Promise.withResolvers<undefined>();
  let timer: Disposable | undefined;
  const touch = (): void => {
    timer?.[Symbol.dispose]();
    if (options.idleMs !== undefined) timer = proc.clock.after(options.idleMs, () => left.resolve(undefined));
  };
  touch();
  const sending = async (): Promise<void> => {
    if (options.isDeaf === true) return;
    for (;;) {
      const chunk = await proc.stdin.read(16_384);
      if (chunk.length === 0) break;
      touch();
      await socket.write(chunk);
    }
    if (options.atEnd === 'half-close') socket.end();
    else if (typeof options.atEnd === 'number') {
      socket.end();
      proc.clock.after(options.atEnd, () => left.resolve(undefined));
    }
  };
  const sent = sending();
  sent.catch((error: unknown) => {
    // The other side is gone, or this process is: the reading side tells.
    if (!(error instanceof ErrnoError || error instanceof ProcessExit)) throw error;
  });
  for (;;) {
    const chunk = await proc.interruptible(Promise.race([socket.read(), left.promise]));
    if (chunk === undefined) {
      timer?.[Symbol.dispose]();
      return;
    }
    touch();
    await proc.stdout.write(chunk);
  }
}

/** -N, -q and -w. Without them OpenBSD's nc stays until the other side leaves; busybox's and ncat close their half. */
function relayOptions(it: Invocation): RelayOptions {
  const { options } = it;
  const quit = options.value('q');
  const wait = options.value('w');
  return {
    atEnd:
      quit !== undefined && Number(quit) >= 0
        ? Number(quit) * 1000
        : options.has('N') || it.dialect === 'busybox' || it.name === 'ncat'
          ? 'half-close'
          : 'keep',
    ...(wait === undefined ? {} : { idleMs: Number(wait) * 1000 }),
    isDeaf: options.has('d'),
  };
}

async function connect(
  it: Invocation,
  host: string,
  address: string,
  port: number,
  name: string,
): Promise<TcpSocket> {
  const wait = it.options.value('w');
  const stop = new AbortController();
  const timer =
    wait === undefined
      ? undefined
      : it.proc.clock.after(Number(wait) * 1000, () => stop.abort(new ErrnoError('ETIMEDOUT')));
  try {
    return await it.proc.interruptible(
      it.proc.net.sockets.connectTcp({ address, port }, { owner: OWNER(it.proc, name), signal: stop.signal }),
    );
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    const text = stop.signal.aborted ? 'timed out: Operation now in progress' : `failed: ${error.message}`;
    throw new Failure(
      it.dialect === 'busybox'
        ? `${host} (${address}:${port}): ${error.message}`
        : `connect to ${host} port ${port} (tcp) ${text}`,
    );
  } finally {
    timer?.[Symbol.dispose]();
  }
}

/** nc(1): connecting, -z scans, -l listening, -u. */
export const nc: Program = command(
  {
    short: '46bCDdFhklnNrtUuvzw:p:s:i:q:e:X:x:',
    usage:
      '[-46CDdFhklNnrStUuvZz] [-i interval] [-w timeout] [-p source_port]\n\t  [-s sourceaddr] [destination] [port]',
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('l')) return listen(it);
    const [host, ports] = it.operands;
    if (host === undefined || ports === undefined) {
      await proc.stderr.write(
        'usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n\t  [destination] [port]\n',
      );
      return 1;
    }
    const found = await lookupHost(proc, host);
    const [address] = found.addresses;
    if (address === undefined)
      throw new Failure(
        it.dialect === 'busybox'
          ? `bad address '${host}'`
          : `getaddrinfo for host "${host}" port ${ports}: Name or service not known`,
      );
    const range = /^(\d+)-(\d+)$/.exec(ports);
    const [from, to] = range === null ? [Number(ports), Number(ports)] : [Number(range[1]), Number(range[2])];
    if (Number.isNaN(from) || from < 1 || to > 65_535) throw new Failure(`port number invalid: ${ports}`);
    const udp = options.has('u');
    let status = 1;
    for (let port = from; port <= to; port++) {
      const succeeded = `Connection to ${host} ${port} port [${udp ? 'udp' : 'tcp'}/${lookupService(port) ?? '*'}] succeeded!\n`;
      if (udp) {
        await datagrams(it, address, port, succeeded);
        status = 0;
        continue;
      }
      let socket: TcpSocket;
      try {
        socket = await connect(it, host, address, port, 'nc');
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (options.has('v') || it.dialect === 'busybox') await it.complain(error.message);
        continue;
      }
      status = 0;
      if (options.has('v'))
        await proc.stderr.write(it.dialect === 'busybox' ? `${host} (${address}:${port}) open\n` : succeeded);
      try {
        if (!options.has('z')) await relay(proc, socket, relayOptions(it));
      } finally {
        socket.close();
      }
    }
    return status;
  },
);

async function datagrams(it: Invocation, address: string, port: number, succeeded: string): Promise<void> {
  const { proc, options } = it;
  using socket = proc.net.sockets.openUdp({ remote: { address, port }, owner: OWNER(proc, 'nc') });
  if (options.has('z')) {
    socket.send(Buffer.from('X'), { address, port });
    await proc.sleep(1000);
    if (options.has('v')) await proc.stderr.write(succeeded);
    return;
  }
  const receiving = (async (): Promise<void> => {
    for (;;) await proc.stdout.write((await socket.receive(proc.signal)).bytes);
  })();
  receiving.catch(() => undefined); // Ends with the socket.
  for (;;) {
    const chunk = await proc.stdin.read(1400);
    if (chunk.length === 0) break;
    socket.send(chunk, { address, port });
  }
  await proc.sleep(Number(options.value('w') ?? 1) * 1000);
}

async function listen(it: Invocation): Promise<number> {
  const { proc, options } = it;
  if (options.has('u')) return listenUdp(it);
  const text = options.value('p') ?? it.operands.at(-1) ?? '';
  const address = options.value('s') ?? (it.operands.length > 1 ? it.operands[0]! : '0.0.0.0');
  if (!/^\d+$/.test(text)) throw new Failure('port number invalid');
  try {
    using listener = proc.net.sockets.listenTcp(
      { address, port: Number(text) },
      { owner: OWNER(proc, 'nc') },
    );
    if (options.has('v')) await proc.stderr.write(`Listening on ${address} ${text}\n`);
    do {
      const socket = await proc.interruptible(listener.accept());
      if (options.has('v'))
        await proc.stderr.write(`Connection received on ${socket.remote.address} ${socket.remote.port}\n`);
      try {
        await relay(proc, socket, relayOptions(it));
      } finally {
        socket.close();
      }
    } while (options.has('k'));
    return 0;
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    throw new Failure(error.message);
  }
}

/** -lu: talks with whoever sends first. */
async function listenUdp(it: Invocation): Promise<number> {
  const { proc, options } = it;
  const text = options.value('p') ?? it.operands.at(-1) ?? '';
  const address = options.value('s') ?? (it.operands.length > 1 ? it.operands[0]! : '0.0.0.0');
  if (!/^\d+$/.test(text)) throw new Failure('port number invalid');
  try {
    using socket = proc.net.sockets.openUdp({
      local: { address, port: Number(text) },
      owner: OWNER(proc, 'nc'),
    });
    if (options.has('v')) await proc.stderr.write(`Bound on ${address} ${text}\n`);
    let peer: { address: string; port: number } | undefined;
    const sending = async (): Promise<void> => {
      for (let chunk = await proc.stdin.read(1400); chunk.length > 0; chunk = await proc.stdin.read(1400))
        if (peer !== undefined) socket.send(chunk, peer);
    };
    sending().catch(() => undefined); // This process is leaving.
    for (;;) {
      const { bytes, from } = await proc.interruptible(socket.receive(proc.signal));
      if (peer === undefined && options.has('v'))
        await proc.stderr.write(`Connection received on ${from.address} ${from.port}\n`);
      if (peer === undefined || options.has('k')) peer = from;
      if (from.address === peer.address && from.port === peer.port) await proc.stdout.write(bytes);
    }
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
    throw new Failure(error.message);
  }
}

/** telnet(1): connects and passes lines; Ctrl-] then quit leaves. */
export const telnet: Program = command(
  { short: '468EKLadrcl:n:e:b:', usage: '[-468EKLacdrx] [-l user] [host-name [port]]' },
  async (it) => {
    const { proc } = it;
    const [host, port = '23'] = it.operands;
    if (host === undefined) throw new Failure("drydock: telnet's command mode isn't simulated");
    const number = /^\d+$/.test(port) ? Number(port) : lookupService(port);
    const [address] = (await lookupHost(proc, host)).addresses;
    if (address === undefined || number === undefined) {
      await proc.stderr.write(
        it.dialect === 'busybox'
          ? `telnet: bad address '${host}'\n`
          : `Server lookup failure:  ${host}:${port}, Name or service not known\n`,
      );
      return 1;
    }
    if (it.dialect !== 'busybox') await it.out.line(`Trying ${address}...`);
    await it.out.flush();
    let socket: TcpSocket;
    try {
      socket = await proc.interruptible(
        proc.net.sockets.connectTcp({ address, port: number }, { owner: OWNER(proc, 'telnet') }),
      );
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.code === 'EINTR') throw error;
      throw new Failure(
        it.dialect === 'busybox'
          ? `can't connect to remote host (${address}): ${error.message}`
          : `Unable to connect to remote host: ${error.message}`,
      );
    }
    await it.out.put(
      it.dialect === 'busybox'
        ? `Connected to ${host}\n\n`
        : `Connected to ${host}.\nEscape character is '^]'.\n`,
    );
    await it.out.flush();
    try {
      await relay(proc, socket, { atEnd: 'keep' });
      await proc.stderr.write('Connection closed by foreign host.\n');
    } finally {
      socket.close();
    }
    return it.dialect === 'busybox' ? 1 : 0;
  },
);
